/* SPDX-License-Identifier: MIT */
#include "collector/commands/people.h"

#include "collector/base/clock.h"
#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include "collector/users/users.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define ERROR_SIZE 512

/* One call: its arguments, and the users file as it is. */
struct people {
    const char *config_path, *name;
    bool display;
    struct config *config;
    const struct config_section *web;
    const char *path;
    struct users_file file;
};

static bool load_config(struct people *p)
{
    p->config = tap_config_file(p->config_path);
    p->web = p->config ? config_section(p->config, CONFIG_WEB) : NULL;
    p->path = p->web ? config_text(p->web, CONFIG_WEB_USERS_FILE) : NULL;
    if (p->config && !p->path)
        fprintf(stderr, "amitap: %s: web has no users_file\n", p->config_path);
    return p->path != NULL;
}

/* A file that is not there yet is empty. */
static bool load_users(struct people *p)
{
    char reason[ERROR_SIZE];
    if (access(p->path, F_OK) != 0 && errno == ENOENT)
        return true;
    if (users_file_read(p->path, &p->file, reason, sizeof(reason)))
        return true;
    fprintf(stderr, "amitap: %s %s\n", p->path, reason);
    return false;
}

static bool save_users(const struct people *p)
{
    char reason[ERROR_SIZE];
    if (users_file_write(p->path, &p->file, reason, sizeof(reason)))
        return true;
    fprintf(stderr, "amitap: %s %s\n", p->path, reason);
    return false;
}

static int refuse(const char *name, const char *why)
{
    fprintf(stderr, "amitap: %s: %s\n", name, why);
    return 1;
}

/* Ends the wait for a line. */
static void interrupted(int number)
{
    (void)number;
}

/* Nothing is shown while it is typed; Ctrl-C is the end of it, and leaves the terminal as it was.
 */
static bool read_hidden(const char *prompt, char *line, int size, const struct termios *shown)
{
    const struct sigaction quietly = {.sa_handler = interrupted};
    struct sigaction before;
    struct termios hidden = *shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    sigaction(SIGINT, &quietly, &before);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    fputs(prompt, stderr);
    bool got = fgets(line, size, stdin) != NULL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, shown);
    sigaction(SIGINT, &before, NULL);
    fputc('\n', stderr);
    return got;
}

/* A line of stdin without its end. */
static bool read_line(const char *prompt, char *line, int size)
{
    struct termios shown;
    bool got = tcgetattr(STDIN_FILENO, &shown) == 0 ? read_hidden(prompt, line, size, &shown)
                                                    : fgets(line, size, stdin) != NULL;
    size_t n = got ? strlen(line) : 0;
    bool whole = n > 0 && (line[n - 1] == '\n' || feof(stdin));
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = '\0';
    return whole;
}

static const char *password_fault(const char *password)
{
    size_t n = strlen(password);
    if (n < USERS_PASSWORD_MIN)
        return "a password has at least 8 bytes";
    if (n > USERS_PASSWORD_MAX)
        return "a password has at most 256 bytes";
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
            return "a password holds no control characters";
    }
    return NULL;
}

static int add_person(struct people *p)
{
    struct users_entry entry = {0}, *old = users_file_find(&p->file, p->name);
    char password[USERS_PASSWORD_MAX + 3], again[USERS_PASSWORD_MAX + 3];
    if (old && old->kind != USERS_PERSON)
        return refuse(p->name, "is a token's name");
    if (!read_line("Password: ", password, sizeof(password)))
        return refuse(p->name, "there is no password, or it is longer than 256 bytes");
    if (isatty(STDIN_FILENO) &&
        (!read_line("Again: ", again, sizeof(again)) || strcmp(password, again) != 0))
        return refuse(p->name, "that is another password");
    const char *wrong = password_fault(password);
    memcpy(entry.name, p->name, strlen(p->name) + 1);
    if (!wrong && (!users_set_password(&entry, password) || !users_file_put(&p->file, &entry)))
        wrong = "memory is short, or there are 1000 already";
    explicit_bzero(password, sizeof(password));
    explicit_bzero(again, sizeof(again));
    if (wrong)
        return refuse(p->name, wrong);
    if (!save_users(p))
        return 1;
    printf("%s %s\n", p->name, old ? "has another password" : "may log in");
    return 0;
}

/* A new secret's line takes the place of one of its kind. */
static int add_secret(struct people *p, enum users_kind kind, char secret[USERS_HEX])
{
    struct users_entry entry = {.kind = kind, .display = p->display || kind == USERS_KIOSK};
    const struct users_entry *old = users_file_find(&p->file, p->name);
    const struct clock clock = clock_system();
    if (old && old->kind != kind)
        return refuse(p->name, "is somebody else's name; remove it, or take another");
    memcpy(entry.name, p->name, strlen(p->name) + 1);
    entry.made = clock_now(&clock) / 1000000;
    if (!users_new_secret(secret, entry.hash) || !users_file_put(&p->file, &entry))
        return refuse(p->name, "memory is short, or there are 1000 already");
    return save_users(p) ? 0 : 1;
}

static int add_token(struct people *p)
{
    char secret[USERS_HEX];
    int status = add_secret(p, USERS_TOKEN, secret);
    if (status == 0)
        printf("%s\n", secret);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

/* Where a browser finds the wallboard, as far as the configuration says it. */
static void print_url(const struct people *p, const char *code)
{
    size_t hosts_n = 0, proxies_n = 0;
    const char *listen = config_text(p->web, CONFIG_WEB_LISTEN);
    const char *const *hosts = config_list(p->web, CONFIG_WEB_HOSTS, &hosts_n);
    config_list(p->web, CONFIG_WEB_PROXY, &proxies_n);
    bool tls = config_text(p->web, CONFIG_WEB_TLS_CERTIFICATE) != NULL;
    printf("%s://", tls || proxies_n ? "https" : "http");
    if (hosts_n && proxies_n && !tls)
        printf("%s", hosts[0]);
    else if (hosts_n)
        printf("%s%s", hosts[0], strrchr(listen, ':'));
    else
        printf("%s", listen);
    printf("/login#code=%s\n", code);
}

static int add_kiosk(struct people *p)
{
    char secret[USERS_HEX];
    int status = add_secret(p, USERS_KIOSK, secret);
    if (status == 0)
        print_url(p, secret);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

static int remove_one(struct people *p, bool person)
{
    const struct users_entry *e = users_file_find(&p->file, p->name);
    if (!e || (e->kind == USERS_PERSON) != person)
        return refuse(p->name, person ? "there is no such person" : "there is no such token");
    users_file_remove(&p->file, p->name);
    if (!save_users(p))
        return 1;
    printf("%s may not come in any more\n", p->name);
    return 0;
}

static int list(const struct people *p, bool people)
{
    for (size_t i = 0; i < p->file.n; i++) {
        const struct users_entry *e = &p->file.entries[i];
        if ((e->kind == USERS_PERSON) == people)
            printf("%s\t%s\n", e->name,
                   e->kind == USERS_PERSON  ? "person"
                   : e->kind == USERS_KIOSK ? "screen"
                   : e->display             ? "token, for the wallboard only"
                                            : "token");
    }
    return 0;
}

static int do_user(struct people *p, const char *verb)
{
    if (strcmp(verb, "add") == 0)
        return add_person(p);
    return strcmp(verb, "remove") == 0 ? remove_one(p, true) : list(p, true);
}

static int do_token(struct people *p, const char *verb)
{
    if (strcmp(verb, "add") == 0)
        return add_token(p);
    if (strcmp(verb, "url") == 0)
        return add_kiosk(p);
    return strcmp(verb, "remove") == 0 ? remove_one(p, false) : list(p, false);
}

/* "add -c FILE NAME" and its like. */
static bool read_arguments(int argc, char **argv, const char *verbs, struct people *p,
                           const char **ret_verb)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"display", no_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    char word[16];
    options_begin();
    for (int c; (c = options_next(argc, argv, ":c:", options)) != -1;) {
        if (c == '?')
            return false;
        if (c == 'c')
            p->config_path = optarg;
        else
            p->display = true;
    }
    *ret_verb = optind < argc ? argv[optind++] : "";
    int n = snprintf(word, sizeof(word), " %s ", *ret_verb);
    bool named = strcmp(*ret_verb, "list") != 0;
    p->name = named && optind < argc ? argv[optind++] : NULL;
    if (!**ret_verb)
        return options_need(argv[0], "what to do", false);
    if (n >= (int)sizeof(word) || !strstr(verbs, word))
        return options_refuse(argv[0], "what to do", *ret_verb, "one of the below");
    if (p->display && (strcmp(argv[0], "token") != 0 || strcmp(*ret_verb, "add") != 0))
        return options_refuse(argv[0], *ret_verb, "--display", "one of its options");
    return options_end(argc, argv) && options_need(argv[0], "-c FILE", p->config_path) &&
           options_need(argv[0], "NAME", named == (p->name != NULL));
}

static int with_users(struct people *p, const char *verb,
                      int (*run)(struct people *p, const char *verb))
{
    int status = 1, lock = -1;
    if (p->name && !users_name_is_good(p->name))
        return refuse(p->name, "is no name: letters, digits, '.', '_', '-' and '@', at most 64");
    if (load_config(p)) {
        lock = users_file_lock(p->path);
        if (lock < 0)
            fprintf(stderr, "amitap: %s: %s\n", p->path, strerror(errno));
        else if (load_users(p))
            status = run(p, verb);
    }
    if (lock >= 0)
        close(lock);
    users_file_free(&p->file);
    config_free(p->config);
    return status;
}

int user_command(int argc, char **argv)
{
    struct people p = {0};
    const char *verb;
    if (read_arguments(argc, argv, " add remove list ", &p, &verb))
        return with_users(&p, verb, do_user);
    fputs(
        "usage: amitap user add -c FILE NAME      the password is read from the terminal or stdin\n"
        "       amitap user remove -c FILE NAME\n       amitap user list -c FILE\n",
        stderr);
    return 2;
}

int token_command(int argc, char **argv)
{
    struct people p = {0};
    const char *verb;
    if (read_arguments(argc, argv, " add url remove list ", &p, &verb))
        return with_users(&p, verb, do_token);
    fputs("usage: amitap token add -c FILE [--display] NAME    for a machine; prints the token\n"
          "       amitap token url -c FILE NAME       for a screen; prints its one-time address\n"
          "       amitap token remove -c FILE NAME\n       amitap token list -c FILE\n",
          stderr);
    return 2;
}
