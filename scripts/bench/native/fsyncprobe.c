/* How long a synced append takes: fsyncprobe FILE BYTES COUNT prints the quantiles as JSON and removes the file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t bytes = atol(argv[2]);
  int count = atoi(argv[3]);
  if (count < 1) return 2;
  int fd = open(argv[1], O_CREAT | O_TRUNC | O_RDWR, 0600);
  char *block = malloc(bytes);
  double *took = malloc(count * sizeof *took);
  if (fd < 0 || !block || !took) return 1;
  memset(block, 7, bytes);
  for (int i = 0; i < count; i++) {
    double from = now_ms();
    if (write(fd, block, bytes) != (ssize_t)bytes || fsync(fd)) return 1;
    took[i] = now_ms() - from;
  }
  qsort(took, count, sizeof *took, ascending);
  printf("{\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"maxMs\":%.3f}\n", took[count / 2], took[count * 99 / 100], took[count - 1]);
  unlink(argv[1]);
  return 0;
}
