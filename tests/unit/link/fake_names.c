/* SPDX-License-Identifier: MIT */
#include "tests/unit/link/fake_names.h"
#include <netdb.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>

static sem_t let_go;

__attribute__((constructor)) static void begin(void)
{
    sem_init(&let_go, 0, 0);
}

void fake_names_let_go(void)
{
    sem_post(&let_go);
}

int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);

int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    bool two = strcmp(name, "two.test") == 0, slow = strcmp(name, "slow.test") == 0;
    if (!two && !slow)
        return __real_getaddrinfo(name, service, hints, found);
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    while (slow && sem_wait(&let_go) != 0)
        ;
    int error = __real_getaddrinfo("127.0.0.1", service, hints, found);
    if (two && !error)
        error = __real_getaddrinfo("127.0.0.2", service, hints, &(*found)->ai_next);
    return error;
}
