/* SPDX-License-Identifier: MIT */
#include "collector/users/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define LINE_FIELDS    7
#define HEAD                                                                                       \
    "# Who may see the wallboard. Written by 'amitap user' and 'amitap token'; other comments "    \
    "are not kept.\n"

/* What a hash may cost: from 16 MiB to 256 MiB and some seconds. */
#define LN_MIN 14
#define LN_MAX 18
#define R_MAX  8
#define P_MAX  16

void users_file_free(struct users_file *file)
{
    free(file->entries);
    *file = (struct users_file){0};
}

bool users_name_is_good(const char *name)
{
    static const char legal[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
    size_t n = strspn(name, legal);
    return n > 0 && n < USERS_NAME_SIZE && name[n] == '\0';
}

void users_to_hex(const uint8_t *bytes, size_t n, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * n] = '\0';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool users_from_hex(const char *text, uint8_t *ret_bytes, size_t n)
{
    if (strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* A number without sign or leading zero, within a range. */
static bool read_number(const char *text, int64_t low, int64_t high, int64_t *ret_value)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 15 || text[n] || (n > 1 && *text == '0'))
        return false;
    *ret_value = strtoll(text, NULL, 10);
    return *ret_value >= low && *ret_value <= high;
}

static bool read_cost(char *const *field, struct users_cost *ret_cost)
{
    int64_t ln, r, p;
    if (!read_number(field[0], LN_MIN, LN_MAX, &ln) || !read_number(field[1], 1, R_MAX, &r) ||
        !read_number(field[2], 1, P_MAX, &p))
        return false;
    *ret_cost = (struct users_cost){(unsigned)ln, (unsigned)r, (unsigned)p};
    return true;
}

static const char *read_person(char *const *field, size_t n, struct users_entry *e)
{
    e->kind = USERS_PERSON;
    if (n != 7 || !users_from_hex(field[5], e->salt, USERS_SALT) ||
        !users_from_hex(field[6], e->hash, USERS_HASH))
        return "is not NAME:scrypt:LN:R:P:SALT:HASH";
    return read_cost(field + 2, &e->cost) ? NULL : "has a cost beyond 14 to 18, 1 to 8 and 1 to 16";
}

static const char *read_token(char *const *field, size_t n, struct users_entry *e)
{
    e->kind = USERS_TOKEN;
    e->display = n > 2 && strcmp(field[2], "display") == 0;
    if (n != 4 || !users_from_hex(field[3], e->hash, USERS_HASH) ||
        (!e->display && strcmp(field[2], "all") != 0))
        return "is not NAME:token:all:HASH or NAME:token:display:HASH";
    return NULL;
}

static const char *read_kiosk(char *const *field, size_t n, struct users_entry *e)
{
    e->kind = USERS_KIOSK;
    e->display = true;
    if (n != 4 || !read_number(field[2], 0, INT64_C(99999999999), &e->made) ||
        !users_from_hex(field[3], e->hash, USERS_HASH))
        return "is not NAME:kiosk:MADE:HASH";
    return NULL;
}

/* Cuts the line at its colons. Why it is wrong, or NULL. */
static const char *read_line(char *line, struct users_entry *e)
{
    char *field[LINE_FIELDS];
    size_t n = 0;
    for (char *p = line; p;) {
        char *colon = strchr(p, ':');
        if (n == LINE_FIELDS)
            return "has too many fields";
        field[n++] = p;
        if (colon)
            *colon = '\0';
        p = colon ? colon + 1 : NULL;
    }
    *e = (struct users_entry){0};
    if (!users_name_is_good(field[0]))
        return "begins with no name (letters, digits, '.', '_', '-', '@', at most 64)";
    memcpy(e->name, field[0], strlen(field[0]) + 1);
    const char *kind = n > 1 ? field[1] : "";
    if (strcmp(kind, "scrypt") == 0)
        return read_person(field, n, e);
    if (strcmp(kind, "token") == 0)
        return read_token(field, n, e);
    if (strcmp(kind, "kiosk") == 0)
        return read_kiosk(field, n, e);
    return "is neither NAME:scrypt:… nor NAME:token:… nor NAME:kiosk:…";
}

struct users_entry *users_file_find(const struct users_file *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++) {
        if (strcmp(file->entries[i].name, name) == 0)
            return &file->entries[i];
    }
    return NULL;
}

bool users_file_put(struct users_file *file, const struct users_entry *entry)
{
    struct users_entry *place = users_file_find(file, entry->name);
    if (!place) {
        if (file->n >= USERS_MAX)
            return false;
        place = realloc(file->entries, (file->n + 1) * sizeof(*place));
        if (!place)
            return false;
        file->entries = place;
        place += file->n++;
    }
    *place = *entry;
    return true;
}

bool users_file_remove(struct users_file *file, const char *name)
{
    struct users_entry *place = users_file_find(file, name);
    if (!place)
        return false;
    size_t behind = file->n - (size_t)(place - file->entries) - 1;
    memmove(place, place + 1, behind * sizeof(*place));
    file->n--;
    return true;
}

static const char *take_line(char *line, struct users_file *file)
{
    struct users_entry entry;
    if (*line == '\0' || *line == '#')
        return NULL;
    const char *wrong = read_line(line, &entry);
    if (wrong)
        return wrong;
    if (users_file_find(file, entry.name))
        return "has a name that stands above already";
    return users_file_put(file, &entry) ? NULL : "is one too many (1000), or memory is short";
}

bool users_file_parse(const char *text, size_t n, struct users_file *ret_file, char *error,
                      size_t error_size)
{
    char *copy = strndup(text, n);
    const char *wrong = NULL;
    unsigned number = 0;
    *ret_file = (struct users_file){0};
    if (!copy || strlen(copy) != n)
        wrong = copy ? "holds a NUL byte" : "memory is short";
    for (char *line = copy; line && *line && !wrong;) {
        char *end = strchr(line, '\n');
        number++;
        if (end)
            *end = '\0';
        wrong = take_line(line, ret_file);
        line = end ? end + 1 : NULL;
    }
    free(copy);
    if (!wrong)
        return true;
    users_file_free(ret_file);
    snprintf(error, error_size, "line %u %s", number, wrong);
    return false;
}

bool users_file_read(const char *path, struct users_file *ret_file, char *error, size_t error_size)
{
    struct stat st;
    char *text = malloc(FILE_BYTES_MAX);
    /* A pipe or device might never end. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    bool good = false;
    *ret_file = (struct users_file){0};
    if (!text || !f || fstat(fd, &st) != 0) {
        snprintf(error, error_size, "cannot be read: %s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        snprintf(error, error_size, "is not a regular file");
    } else {
        size_t n = fread(text, 1, FILE_BYTES_MAX, f);
        if (ferror(f) || n == FILE_BYTES_MAX)
            snprintf(error, error_size, "cannot be read, or is larger than 1 MiB");
        else
            good = users_file_parse(text, n, ret_file, error, error_size);
    }
    if (f)
        fclose(f);
    else if (fd >= 0)
        close(fd);
    free(text);
    return good;
}

static void print_entry(FILE *to, const struct users_entry *e)
{
    char hash[USERS_HEX], salt[2 * USERS_SALT + 1];
    users_to_hex(e->hash, USERS_HASH, hash);
    users_to_hex(e->salt, USERS_SALT, salt);
    switch (e->kind) {
    case USERS_PERSON:
        fprintf(to, "%s:scrypt:%u:%u:%u:%s:%s\n", e->name, e->cost.ln, e->cost.r, e->cost.p, salt,
                hash);
        break;
    case USERS_TOKEN:
        fprintf(to, "%s:token:%s:%s\n", e->name, e->display ? "display" : "all", hash);
        break;
    case USERS_KIOSK:
        fprintf(to, "%s:kiosk:%" PRId64 ":%s\n", e->name, e->made, hash);
        break;
    }
}

/* Writes a new file beside the old one and moves it there. */
static bool replace_in(int folder, const char *path, const char *text)
{
    char *name = NULL;
    if (asprintf(&name, "%s.%ld.new", path, (long)getpid()) < 0)
        return false;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    struct stat old;
    /* What root changes stays readable to the daemon's user, whose file it was. */
    if (f && stat(path, &old) == 0 && fchown(fd, old.st_uid, old.st_gid) != 0)
        errno = 0;
    bool good = f && fputs(text, f) >= 0 && fflush(f) == 0 && fsync(fd) == 0;
    int why = errno;
    if (f)
        good = fclose(f) == 0 && good;
    else if (fd >= 0)
        close(fd);
    if (good && rename(name, path) != 0) {
        why = errno;
        good = false;
    }
    if (good)
        fsync(folder);
    else if (fd >= 0)
        unlink(name);
    free(name);
    errno = why;
    return good;
}

/* The folder that a file is in, or -1. */
static int open_folder(const char *path)
{
    char *copy = strdup(path);
    int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(copy);
    return folder;
}

int users_file_lock(const char *path)
{
    int folder = open_folder(path);
    if (folder >= 0 && flock(folder, LOCK_EX) != 0) {
        close(folder);
        return -1;
    }
    return folder;
}

bool users_replace(const char *path, const char *text)
{
    int folder = open_folder(path);
    if (folder < 0)
        return false;
    bool good = replace_in(folder, path, text);
    int why = errno;
    close(folder);
    errno = why;
    return good;
}

bool users_file_write(const char *path, const struct users_file *file, char *error,
                      size_t error_size)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    bool good = false;
    if (to) {
        fputs(HEAD, to);
        for (size_t i = 0; i < file->n; i++)
            print_entry(to, &file->entries[i]);
        good = fclose(to) == 0 && users_replace(path, text);
    }
    if (!good)
        snprintf(error, error_size, "cannot be written: %s", strerror(errno));
    free(text);
    return good;
}
