/* A small host for tests: loads the library by itself and does what a script on standard input says.
 *
 *   host LIBRARY RATE OUT.f32 [INSTANCES] < script
 *
 * Words of a script, one line each:
 *   use N                     what follows is for that instance (from 0 on); what plays, plays in all
 *   run N [TIMES]             blocks of N samples; with `pace 1` at the wall clock's pace
 *   set PORT VALUE            a parameter, by the number of its LV2 port
 *   offline 0|1
 *   pos SPEED BAR BEAT BPM METRE FRAME [UNIT]    where the transport stands in the next block
 *   midi AT XXYYZZ            in the next block, at that sample
 *   text preset|chart WORDS   a text of the session, in the next block
 *   tell                      asks for the texts in the next block
 *   impulse                   one sample of 0.5 at the beginning of the next block
 *   noise GAIN                the input from now on: white noise, the same each time
 *   mono 0|1                  whether there is no right input
 *   pace 0|1, sleep MS, save, restore, restart, close
 *   spoil                     cuts off the last byte of each text that was saved (LV2)
 *   where                     prints at which sample the host is
 *   hear SECONDS              blocks of 64 until the drums sound, or the time is over
 *   until STATE SECONDS       blocks of 256 until the engine's state is that (for 2, ready: or plays), or time is over
 *
 * It writes what the eight outputs of each instance play, interleaved (of the second one into OUT.f32.1), and prints:
 * `midi POSITION BYTES`, `text WHICH WORDS`, `log ...`, `latency N`, `slow MICROSECONDS POSITION` for each new slowest
 * block while a clock runs, `kept KEY VALUE`, `up NUMBER`, and at the end of each instance
 * `end POSITION STATE MISSES SLOWEST_US LONGEST_US`: the slowest block by its thread's time, the longest by the wall.
 */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double rate_hz;
static Instance instances[MOST_INSTANCES], *used = instances;
static FILE *played[MOST_INSTANCES];
static bool closed[MOST_INSTANCES];
static int count_instances = 1;
static long position;
static bool paced, impulse;
static double slowest_s, longest_s, begun_s = -1.0, gain;
static uint32_t noise = 1;

static double time_s(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void wait_s(double left_s) {
    if (left_s > 0.0)
        nanosleep(&(struct timespec){(time_t)left_s, (long)(1e9 * (left_s - (double)(time_t)left_s))}, NULL);
}

static void play(Instance *one, uint32_t count, const float *heard, FILE *into) {
    one->position = position;
    for (int row = 0; row < IN_ROWS; ++row)
        memcpy(one->in[row], heard, count * sizeof *heard);
    face_before(one, count);
    const double before_s = time_s(CLOCK_MONOTONIC), own_before_s = time_s(CLOCK_THREAD_CPUTIME_ID);
    face_run(one, count);
    /* Of this thread alone: what others do with the processor meanwhile is not the plug-in's. */
    const double took_s = time_s(CLOCK_THREAD_CPUTIME_ID) - own_before_s, waited_s = time_s(CLOCK_MONOTONIC) - before_s;
    if (waited_s > longest_s && !one->offline)
        longest_s = waited_s;
    if (took_s > slowest_s && !one->offline) {
        slowest_s = took_s;
        printf("slow %.0f %ld\n", 1e6 * took_s, position);
    }
    face_after(one);
    if (one->latency != one->told_latency)
        printf("latency %.0f\n", one->told_latency = one->latency);
    for (uint32_t i = 0; i < count; ++i)
        for (int row = 0; row < OUT_ROWS; ++row)
            fwrite(&one->out[row][i], sizeof(float), 1, into);
}

static void run(uint32_t count) {
    static float heard[MOST];
    for (uint32_t i = 0; i < count; ++i) {
        noise = noise * 1664525u + 1013904223u;
        heard[i] = (float)(gain * ((double)noise / 2147483648.0 - 1.0));
    }
    if (impulse)
        heard[0] = 0.5f;
    impulse = false;
    if (paced) {
        const double now_s = time_s(CLOCK_MONOTONIC), end_s = (double)(position + count) / rate_hz;
        if (begun_s < 0.0 || now_s > begun_s + end_s + 0.25)
            begun_s = now_s - (double)position / rate_hz;
        wait_s(begun_s + end_s - now_s);
    }
    for (int i = 0; i < count_instances; ++i)
        if (!closed[i])
            play(&instances[i], count, heard, played[i]);
    position += count;
}

static void end(Instance *one) {
    const long which = one - instances;
    if (closed[which])
        return;
    printf("end %ld %d %.0f %.0f %.0f\n", position, one->state, one->misses, 1e6 * slowest_s, 1e6 * longest_s);
    fflush(stdout);
    face_close(one);
    fclose(played[which]);
    closed[which] = true;
}

static void give_midi(const char *rest) {
    unsigned at = 0, packed = 0;
    char hex[16] = "";
    uint8_t bytes[3];
    sscanf(rest, "%u %15s", &at, hex);
    const uint32_t size = (uint32_t)strlen(hex) / 2;
    sscanf(hex, "%x", &packed);
    for (uint32_t i = 0; i < size && i < 3; ++i)
        bytes[i] = (uint8_t)(packed >> 8 * (size - 1 - i));
    face_midi(used, at, bytes, size);
}

static void until(int state, double seconds) {
    const double end_s = time_s(CLOCK_MONOTONIC) + seconds;
    do {
        run(256);
        wait_s(0.005);
    } while (used->state != state && !(state == 2 && used->state == 3) && time_s(CLOCK_MONOTONIC) < end_s);
    printf("state %d\n", used->state);
}

static void hear(double seconds) {
    const double end_s = time_s(CLOCK_MONOTONIC) + seconds;
    bool heard = false;
    while (!heard && time_s(CLOCK_MONOTONIC) < end_s) {
        run(64);
        for (int i = 0; i < 64; ++i)
            heard = heard || used->out[2][i] > 0.1f;
    }
    printf("heard %d\n", heard);
}

static void obey(char *line) {
    char word[32] = "", which[32] = "";
    int taken = 0;
    unsigned count = 0, times = 1;
    double value = 0;
    sscanf(line, "%31s %n", word, &taken);
    char *rest = line + taken;
    if (strcmp(word, "use") == 0) {
        used = &instances[atoi(rest) % MOST_INSTANCES];
    } else if (strcmp(word, "run") == 0) {
        sscanf(rest, "%u %u", &count, &times);
        while (times-- > 0)
            run(count > MOST ? MOST : count);
    } else if (strcmp(word, "set") == 0) {
        if (sscanf(rest, "%u %lf", &count, &value) == 2 && count >= FIRST_PARAMETER)
            face_set(used, (int)count - FIRST_PARAMETER, value);
    } else if (strcmp(word, "offline") == 0) {
        used->offline = atoi(rest) != 0;
    } else if (strcmp(word, "pos") == 0) {
        Place at = {.metre = 4, .unit = 4};
        sscanf(rest, "%lf %lf %lf %lf %lf %lf %lf", &at.speed, &at.bar, &at.beat, &at.bpm, &at.metre, &at.frame,
               &at.unit);
        face_place(used, &at);
    } else if (strcmp(word, "midi") == 0) {
        give_midi(rest);
    } else if (strcmp(word, "text") == 0) {
        sscanf(rest, "%31s %n", which, &taken);
        face_text(used, which, rest + taken);
    } else if (strcmp(word, "tell") == 0) {
        face_tell(used);
    } else if (strcmp(word, "impulse") == 0) {
        impulse = true;
    } else if (strcmp(word, "noise") == 0) {
        gain = atof(rest);
        noise = 1;
    } else if (strcmp(word, "mono") == 0) {
        used->mono = atoi(rest) != 0;
    } else if (strcmp(word, "pace") == 0) {
        paced = atoi(rest) != 0;
        begun_s = -1.0;
    } else if (strcmp(word, "sleep") == 0) {
        wait_s(1e-3 * atof(rest));
    } else if (strcmp(word, "until") == 0) {
        if (sscanf(rest, "%u %lf", &count, &value) == 2)
            until((int)count, value);
    } else if (strcmp(word, "save") == 0) {
        face_save(used);
    } else if (strcmp(word, "restore") == 0) {
        face_restore(used);
    } else if (strcmp(word, "spoil") == 0) {
        face_spoil();
    } else if (strcmp(word, "restart") == 0) {
        face_close(used);
        face_open(used);
    } else if (strcmp(word, "where") == 0) {
        printf("where %ld\n", position);
    } else if (strcmp(word, "hear") == 0) {
        hear(atof(rest));
    } else if (strcmp(word, "close") == 0) {
        end(used);
    } else if (word[0]) {
        printf("unknown %s\n", word);
    }
    fflush(stdout);
}

int main(int count, char **words) {
    static char line[4096];
    if (count < 4 || count > 5)
        return 2;
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    count_instances = count == 5 ? atoi(words[4]) : 1;
    if (count_instances < 1 || count_instances > MOST_INSTANCES)
        return 2;
    rate_hz = atof(words[2]);
    face_load(library);
    for (int i = 0; i < count_instances; ++i) {
        snprintf(line, sizeof line, i ? "%s.%d" : "%s", words[3], i);
        played[i] = fopen(line, "wb");
        instances[i].told_latency = -1.0;
        face_open(&instances[i]);
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    for (int i = 0; i < count_instances; ++i)
        end(&instances[i]);
    return 0;
}
