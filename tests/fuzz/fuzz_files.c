/* SPDX-License-Identifier: MIT */
/* Files that people write by hand or other programs write: the users file, and Asterisk's CSV. The
 * first byte says which. */
#include "collector/users/users_file.h"
#include "parsers/csv.h"
#include "tests/fuzz/fuzz_kit.h"

#define ERROR_SIZE 256

static void users(const char *text, size_t n)
{
    struct users_file file = {0};
    char error[ERROR_SIZE] = "";
    if (!users_file_parse(text, n, &file, error, sizeof(error))) {
        fuzz_expect(error[0] && strlen(error) < sizeof(error));
        return;
    }
    fuzz_expect(file.n <= USERS_MAX);
    for (size_t i = 0; i < file.n; i++) {
        fuzz_expect(users_name_is_good(file.entries[i].name));
        fuzz_expect(users_file_find(&file, file.entries[i].name) == &file.entries[i]);
    }
    users_file_free(&file);
}

static void within(struct slice field, struct slice text, const char *scratch)
{
    bool in_text = field.p >= text.p && field.p + field.n <= text.p + text.n;
    bool in_scratch = field.p >= scratch && field.p + field.n <= scratch + text.n;
    fuzz_expect(field.n == 0 || in_text || in_scratch);
}

static void csv(const char *bytes, size_t size)
{
    struct slice text = {bytes, size};
    char *scratch = malloc(size + 1);
    while (text.n) {
        struct csv_record record = {0}, again;
        size_t n = 0, more = 0;
        enum csv_result result = csv_read(text, true, scratch, &record, &n);
        fuzz_expect(result != CSV_MORE && n > 0 && n <= text.n);
        for (unsigned i = 0; result == CSV_RECORD && i < record.count && i < CSV_FIELDS_MAX; i++)
            within(record.field[i], text, scratch);
        /* Without the rest of the text it is the same record, or asks for more. */
        enum csv_result part = csv_read((struct slice){text.p, n}, false, scratch, &again, &more);
        fuzz_expect(result != CSV_RECORD || part == CSV_MORE ||
                    (part == CSV_RECORD && more == n && again.count == record.count));
        text = slice_from_offset(text, n);
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = fuzz_copy(data + 1, size - 1);
    if (data[0] % 2)
        users(text, size - 1);
    else
        csv(text, size - 1);
    free(text);
    return 0;
}
