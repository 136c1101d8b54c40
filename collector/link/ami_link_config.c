/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_link.h"

struct ami_link_config ami_link_config_default(void)
{
    return (struct ami_link_config){.port = 5038,
                                    .lists = AMI_SNAPSHOT_CHANNELS | AMI_SNAPSHOT_BRIDGES |
                                             AMI_SNAPSHOT_QUEUES | AMI_SNAPSHOT_DEVICES,
                                    .connect_us = 10 * 1000000,
                                    .ping_us = 15 * 1000000,
                                    .boot_us = 300000,
                                    .list_us = 10 * 1000000,
                                    .leave_us = 1000000,
                                    .retry_us = 1000000,
                                    .retry_max_us = 60 * 1000000,
                                    .refused_us = 60 * 1000000,
                                    .refused_max_us = 900 * 1000000};
}

int64_t ami_link_state_time(const struct ami_link_config *config, enum ami_link_state state)
{
    switch (state) {
    case AMI_LINK_RESOLVING: /* glibc may ask three servers, the first ones in vain */
        return config->connect_us * 3;
    case AMI_LINK_CONNECTING:
    case AMI_LINK_GREETING:
    case AMI_LINK_CHALLENGING:
    case AMI_LINK_LOGGING_IN:
        return config->connect_us;
    case AMI_LINK_BOOTING:
        return config->boot_us;
    case AMI_LINK_SNAPSHOT:
        return config->list_us;
    case AMI_LINK_LEAVING:
        return config->leave_us;
    case AMI_LINK_STOPPED:
    case AMI_LINK_WAITING: /* its delay is the back-off's */
        return 0;
    case AMI_LINK_LIVE:
        return config->check_us;
    }
    return 0;
}
