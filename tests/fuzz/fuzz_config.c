/* SPDX-License-Identifier: MIT */
/* A configuration file of any bytes is read, or its faults are named. */
#include "collector/config/config.h"
#include "tests/fuzz/fuzz_kit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        nowhere = fopen("/dev/null", "w");
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    struct config_report *report = config_report_new();
    struct config *config = config_load(path, report);
    if (config)
        fuzz_expect(config_pbx_count(config) > 0 && config_pbx_secret(config_pbx(config, 0)).n > 0);
    config_report_print(report, "input", nowhere);
    config_free(config);
    config_report_free(report);
    return 0;
}
