/*
 * LD_PRELOAD library that counts what a process gives to the disk under $BENCH_DISK_DIR and makes every sync slower.
 * The counters live in the file $BENCH_DISK_CONTROL, mapped, so that the bench reads them and sets the delay while the process runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct { uint64_t delay_us, bytes, writes, syncs; } Control;

static Control *control;
static const char *folder;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int);

__attribute__((constructor)) static void start(void) {
  if (real_fsync) return;
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  folder = getenv("BENCH_DISK_DIR");
  const char *path = getenv("BENCH_DISK_CONTROL");
  int fd = path ? open(path, O_RDWR) : -1;
  if (fd < 0) return;
  void *mapped = mmap(0, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(fd);
}

/* SQLite's shared-memory index is no file that anybody syncs. */
static int is_ours(int fd) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0 || !folder) return 0;
  path[n] = 0;
  return !strncmp(path, folder, strlen(folder)) && !strstr(path, "-shm");
}

static void counted(int fd, ssize_t n) {
  if (!control || n <= 0 || !is_ours(fd)) return;
  __atomic_add_fetch(&control->bytes, n, __ATOMIC_RELAXED);
  __atomic_add_fetch(&control->writes, 1, __ATOMIC_RELAXED);
}

static void synced(int fd) {
  if (!control || !is_ours(fd)) return;
  __atomic_add_fetch(&control->syncs, 1, __ATOMIC_RELAXED);
  uint64_t us = __atomic_load_n(&control->delay_us, __ATOMIC_RELAXED);
  struct timespec wait = {us / 1000000, us % 1000000 * 1000};
  if (us) nanosleep(&wait, 0);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) {
  start();
  ssize_t done = real_pwrite(fd, bytes, n, at);
  counted(fd, done);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }

ssize_t write(int fd, const void *bytes, size_t n) {
  start();
  ssize_t done = real_write(fd, bytes, n);
  if (fd > 2) counted(fd, done);
  return done;
}

int fsync(int fd) {
  start();
  synced(fd);
  return real_fsync(fd);
}

int fdatasync(int fd) {
  start();
  synced(fd);
  return real_fdatasync(fd);
}
