/* SPDX-License-Identifier: MIT */
#include "tests/unit/parsers/dump.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#define CASES "tests/unit/parsers/case"

/* A stream of that many bytes, all c, with room for more. To be freed. */
static char *bytes_of(size_t n, char c)
{
    char *p = malloc(n + 64);
    ck_assert_ptr_nonnull(p);
    memset(p, c, n + 64);
    return p;
}

static void put(char *at, const char *text)
{
    memcpy(at, text, strlen(text));
}

static void check_case(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), CASES "/%s/input", name);
    struct slice input = read_file(path);
    snprintf(path, sizeof(path), CASES "/%s/expect", name);
    struct slice expect = read_file(path);
    ck_assert_msg(input.p && expect.p, "%s: a file is missing", name);

    unsigned most = 7;
    const struct cuts ways[] = {
        {NULL, NULL}, {piece_of_one, NULL}, {piece_at_random, &most}, {piece_at_random, &most}};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *text = NULL;
        size_t n = 0;
        FILE *dump = open_memstream(&text, &n);
        dump_stream(input, ways[i], dump);
        fclose(dump);
        ck_assert_msg(slice_equal((struct slice){text, n}, expect), "%s, way %zu:\n%s", name, i,
                      text);
        free(text);
    }
    free((char *)input.p);
    free((char *)expect.p);
}

START_TEST(cases)
{
    DIR *dir = opendir(CASES);
    ck_assert_ptr_nonnull(dir);
    unsigned count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        check_case(entry->d_name);
        count++;
    }
    closedir(dir);
    ck_assert_uint_ge(count, 25);
}
END_TEST

/* One event whose lines take that many bytes, their ends included, then another event. */
static struct slice event_of(size_t lines, const char *end, size_t line_length)
{
    char *p = bytes_of(lines + 64, 'x');
    put(p, "Event: Hangup\n");
    size_t at = strlen("Event: Hangup\n");
    while (at + line_length + 1 < lines) {
        put(p + at, "Exten: ");
        p[at + line_length] = '\n';
        at += line_length + 1;
    }
    if (at + 4 < lines)
        put(p + at, "a: ");
    p[lines - 1] = '\n';
    put(p + lines, end);
    put(p + lines + strlen(end), "Event: Reload\n\n");
    return (struct slice){p, lines + strlen(end) + strlen("Event: Reload\n\n")};
}

static void check_frame_cap(size_t lines, const char *end, bool cut)
{
    struct slice stream = event_of(lines, end, 1000);
    unsigned most = 9000;
    const struct cuts ways[] = {{NULL, NULL}, {piece_at_random, &most}};
    uint64_t digest[2];
    for (int i = 0; i < 2; i++) {
        struct outcome o = dump_stream(stream, ways[i], NULL);
        ck_assert_uint_eq(o.frames, 2);
        ck_assert_uint_eq(o.left, 0);
        ck_assert_uint_eq(o.framer.cut_frames, cut);
        ck_assert_uint_eq(o.framer.cut_lines, 0);
        digest[i] = o.digest;
    }
    ck_assert_uint_eq(digest[0], digest[1]);

    struct ami_framer framer = {.banner_seen = true};
    struct ami_frame frame;
    size_t used;
    ck_assert_int_eq(ami_frame_next(&framer, stream, &frame, &used), AMI_FRAME_OK);
    ck_assert_uint_eq(frame.flags, cut ? AMI_FRAME_LONG : 0);
    ck_assert(slice_is(frame.name, "Hangup"));
    if (!cut)
        ck_assert_uint_eq(frame.body.n, lines - 1);
    else
        ck_assert_uint_lt(frame.body.n, AMI_FRAME_MAX);
    free((char *)stream.p);
}

START_TEST(frame_at_its_cap)
{
    const char *const ends[] = {"\n", "\r\n"};
    for (int i = 0; i < 2; i++) {
        check_frame_cap(AMI_FRAME_MAX - 1, ends[i], false);
        check_frame_cap(AMI_FRAME_MAX, ends[i], false);
        check_frame_cap(AMI_FRAME_MAX + 1, ends[i], true);
        check_frame_cap(AMI_FRAME_MAX + 2, ends[i], true);
        check_frame_cap(3 * AMI_FRAME_MAX, ends[i], true);
    }
}
END_TEST

/* The cap falls on each byte of the end of a frame and of the blank line behind it. */
START_TEST(frame_cap_at_every_cut)
{
    struct slice stream = event_of(AMI_FRAME_MAX + 40, "\r\n", 1000);
    struct outcome whole = dump_stream(stream, (struct cuts){0}, NULL);
    for (size_t first = AMI_FRAME_MAX - 3; first < AMI_FRAME_MAX + 50; first++) {
        struct ami_framer framer = {0};
        struct ami_frame frame;
        size_t frames = 0;
        size_t begin = 0;
        for (int part = 0; part < 2; part++) {
            size_t end = part ? stream.n : first;
            size_t used;
            struct slice rest = guarded((struct slice){stream.p + begin, end - begin});
            while (ami_frame_next(&framer, rest, &frame, &used) == AMI_FRAME_OK) {
                rest = slice_from_offset(rest, used);
                begin += used;
                frames++;
            }
            begin += used;
        }
        ck_assert_uint_eq(frames, whole.frames);
        ck_assert_uint_eq(framer.cut_frames, 1);
        ck_assert_uint_eq(begin, stream.n);
    }
    free((char *)stream.p);
}
END_TEST

/* A frame without any line end is cut to nothing, and what follows is read. */
START_TEST(one_endless_line)
{
    size_t n = 3 * AMI_FRAME_MAX;
    char *p = bytes_of(n, 'x');
    put(p + n, "\r\n\r\nEvent: Reload\r\n\r\n");
    struct slice stream = {p, n + strlen("\r\n\r\nEvent: Reload\r\n\r\n")};
    unsigned most = 40000;
    struct outcome whole = dump_stream(stream, (struct cuts){0}, NULL);
    struct outcome cut = dump_stream(stream, (struct cuts){piece_at_random, &most}, NULL);
    ck_assert_uint_eq(whole.frames, 2);
    ck_assert_uint_eq(whole.framer.cut_frames, 1);
    ck_assert_uint_eq(whole.left, 0);
    ck_assert_uint_eq(whole.digest, cut.digest);
    free(p);
}
END_TEST

/* A caller whose buffer holds AMI_FRAME_BUFFER bytes always gets on. */
START_TEST(buffer_is_enough)
{
    size_t n = AMI_FRAME_BUFFER;
    char *p = bytes_of(n, 'x');
    struct ami_framer framer = {0};
    struct ami_frame frame;
    size_t used;
    ck_assert_int_eq(ami_frame_next(&framer, (struct slice){p, n - 1}, &frame, &used),
                     AMI_FRAME_NEED_MORE);
    ck_assert_uint_eq(used, 0);
    ck_assert_int_eq(ami_frame_next(&framer, (struct slice){p, n}, &frame, &used), AMI_FRAME_OK);
    ck_assert_uint_eq(used, AMI_FRAME_MAX);
    ck_assert_uint_eq(frame.flags, AMI_FRAME_LONG);
    free(p);
}
END_TEST

START_TEST(line_at_its_cap)
{
    for (size_t length = AMI_LINE_MAX - 1; length <= AMI_LINE_MAX + 1; length++) {
        bool cut = length > AMI_LINE_MAX;
        struct slice stream = event_of(14 + 2 * (length + 1) + 1, "\r\n", length);
        struct outcome o = dump_stream(stream, (struct cuts){0}, NULL);
        ck_assert_uint_eq(o.frames, 2);
        ck_assert_uint_eq(o.framer.cut_frames, 0);
        ck_assert_uint_eq(o.framer.cut_lines, cut ? 2 : 0);

        static struct ami_message m;
        struct ami_framer framer = {.banner_seen = true};
        struct ami_frame frame;
        size_t used;
        ck_assert_int_eq(ami_frame_next(&framer, stream, &frame, &used), AMI_FRAME_OK);
        ck_assert_uint_eq(frame.flags, cut ? AMI_FRAME_LONG_LINE : 0);
        ami_message_parse(&frame, &m);
        ck_assert_int_eq(m.cut, cut);
        ck_assert_uint_eq(m.count, 3);
        size_t value = (cut ? AMI_LINE_MAX : length) - strlen("Exten: ");
        ck_assert_uint_eq(m.headers[2].value.n, value);
        free((char *)stream.p);
    }
}
END_TEST

START_TEST(follows_at_its_cap)
{
    for (size_t lines = AMI_FRAME_MAX - 1; lines <= AMI_FRAME_MAX + 1; lines++) {
        char *p = bytes_of(lines + 64, 'x');
        put(p, "Response: Follows\n\n");
        for (size_t at = 1000; at < lines - 20; at += 1000)
            p[at] = '\n';
        put(p + lines - 16, "\n--END COMMAND--");
        p[lines - 1] = '\n';
        put(p + lines - 15, "-END COMMAND--\n");
        put(p + lines - 16, "-");
        put(p + lines, "\nEvent: Reload\n\n");
        struct slice stream = {p, lines + strlen("\nEvent: Reload\n\n")};
        unsigned most = 5000;
        struct outcome whole = dump_stream(stream, (struct cuts){0}, NULL);
        struct outcome cut = dump_stream(stream, (struct cuts){piece_at_random, &most}, NULL);
        ck_assert_uint_eq(whole.frames, 2);
        ck_assert_uint_eq(whole.framer.cut_frames, lines > AMI_FRAME_MAX);
        ck_assert_uint_eq(whole.left, 0);
        ck_assert_uint_eq(whole.digest, cut.digest);
        free(p);
    }
}
END_TEST

START_TEST(banner_at_its_cap)
{
    for (size_t length = AMI_LINE_MAX - 1; length <= AMI_LINE_MAX + 1; length++) {
        char *p = bytes_of(length, '1');
        put(p, "Asterisk Call Manager/");
        put(p + length, "\nEvent: Reload\n\n");
        struct slice stream = {p, length + strlen("\nEvent: Reload\n\n")};
        unsigned most = 5000;
        struct outcome whole = dump_stream(stream, (struct cuts){0}, NULL);
        struct outcome cut = dump_stream(stream, (struct cuts){piece_at_random, &most}, NULL);
        ck_assert_uint_eq(whole.frames, length <= AMI_LINE_MAX ? 2 : 1);
        ck_assert_uint_eq(whole.digest, cut.digest);
        free(p);
    }
}
END_TEST

/* Streams made of nothing but what framing looks at. */
START_TEST(any_bytes_any_cut)
{
    static const char *const parts[] = {"\n",
                                        "\r",
                                        "\r\n",
                                        "\n\n",
                                        "\r\n\r\n",
                                        "x",
                                        "Event: Hangup",
                                        "Response: Follows\n",
                                        ":",
                                        "a: b\r\n",
                                        "--END COMMAND--",
                                        "Call Manager/1\n"};
    for (int round = 0; round < 2000; round++) {
        char stream[600];
        size_t n = 0;
        while (n < sizeof(stream) - 32) {
            const char *part = parts[(size_t)random() % (sizeof(parts) / sizeof(parts[0]))];
            put(stream + n, part);
            n += strlen(part);
        }
        unsigned most = 1 + (unsigned)random() % 90;
        struct slice s = {stream, n};
        struct outcome whole = dump_stream(s, (struct cuts){0}, NULL);
        struct outcome ones = dump_stream(s, (struct cuts){piece_of_one, NULL}, NULL);
        struct outcome cut = dump_stream(s, (struct cuts){piece_at_random, &most}, NULL);
        ck_assert_uint_eq(whole.digest, ones.digest);
        ck_assert_uint_eq(whole.digest, cut.digest);
        ck_assert_uint_eq(whole.left, ones.left);
        ck_assert_uint_eq(whole.left, cut.left);
    }
}
END_TEST

int main(void)
{
    const char *given = getenv("AMITAP_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("AMITAP_SEED=%u\n", seed);
    fflush(stdout);
    srandom(seed);

    TCase *tcase = tcase_create("ami_frame");
    tcase_add_test(tcase, cases);
    tcase_add_test(tcase, frame_at_its_cap);
    tcase_add_test(tcase, frame_cap_at_every_cut);
    tcase_add_test(tcase, one_endless_line);
    tcase_add_test(tcase, buffer_is_enough);
    tcase_add_test(tcase, line_at_its_cap);
    tcase_add_test(tcase, follows_at_its_cap);
    tcase_add_test(tcase, banner_at_its_cap);
    tcase_add_test(tcase, any_bytes_any_cut);
    Suite *suite = suite_create("ami_frame");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
