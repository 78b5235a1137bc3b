/*
 * LD_PRELOAD library that keeps, beside the files whose path starts with $BENCH_POWERCUT_FILES, a shadow of each in the folder
 * $BENCH_POWERCUT_SHADOW that only ever receives what was synced. After kill -9 the shadow is what a disk holds that honours
 * fsync and loses everything else; metadata of a synced file count as durable.
 * With $BENCH_POWERCUT_FORGETS set, syncs of the write-ahead log count only once the database file is synced too: that is
 * `synchronous=NORMAL`, and the bench must notice it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILES = 16, DESCRIPTORS = 4096, NAME = 256 };

/* One change that was not synced yet: bytes at an offset, or a truncation. */
typedef struct Change {
  struct Change *next;
  int truncates;
  off_t at;
  size_t length;
  char bytes[];
} Change;

typedef struct {
  char name[NAME];
  Change *first, **last;
} Watched;

static Watched watched[FILES];
static int file_of[DESCRIPTORS]; /* 1 + index in `watched`, 0 for files that are not ours */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *files, *shadow;
static int forgets;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_open)(const char *, int, ...), (*real_close)(int), (*real_unlink)(const char *);

__attribute__((constructor)) static void start(void) {
  if (real_open) return;
  files = getenv("BENCH_POWERCUT_FILES");
  shadow = getenv("BENCH_POWERCUT_SHADOW");
  forgets = getenv("BENCH_POWERCUT_FORGETS") != 0;
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_open = dlsym(RTLD_NEXT, "open64");
}

/* 1 + index of the file at `path`, 0 when it is not ours; SQLite's shared memory never is. */
static int find(const char *path) {
  if (!files || !path || strncmp(path, files, strlen(files)) || strstr(path, "-shm")) return 0;
  const char *name = strrchr(path, '/') + 1;
  for (int i = 0; i < FILES; i++) {
    if (!watched[i].name[0]) {
      snprintf(watched[i].name, NAME, "%s", name);
      watched[i].last = &watched[i].first;
    }
    if (!strcmp(watched[i].name, name)) return i + 1;
  }
  return 0;
}

static Watched *behind(int fd) {
  int index = fd >= 0 && fd < DESCRIPTORS ? file_of[fd] : 0;
  return index ? watched + index - 1 : 0;
}

static void remember(int fd, int truncates, const void *bytes, size_t length, off_t at) {
  pthread_mutex_lock(&lock);
  Watched *file = behind(fd);
  if (file) {
    Change *change = malloc(sizeof *change + length);
    *change = (Change){.truncates = truncates, .at = at, .length = length};
    if (length) memcpy(change->bytes, bytes, length);
    *file->last = change;
    file->last = &change->next;
  }
  pthread_mutex_unlock(&lock);
}

static void forget_changes(Watched *file, int shadow_fd) {
  for (Change *change = file->first, *next; change; change = next) {
    next = change->next;
    if (shadow_fd >= 0) {
      int failed = change->truncates ? real_ftruncate(shadow_fd, change->at) != 0
                                     : real_pwrite(shadow_fd, change->bytes, change->length, change->at) < 0;
      if (failed) abort();
    }
    free(change);
  }
  file->first = 0;
  file->last = &file->first;
}

static void land(Watched *file) {
  char path[NAME * 3];
  snprintf(path, sizeof path, "%s/%s", shadow, file->name);
  int fd = real_open(path, O_RDWR | O_CREAT, 0600);
  if (fd < 0) abort();
  forget_changes(file, fd);
  real_close(fd);
}

static int is_log(const Watched *file) { return strstr(file->name, "-wal") != 0; }

static void synced(int fd) {
  pthread_mutex_lock(&lock);
  Watched *file = behind(fd);
  if (file && !forgets) land(file);
  else if (file && !is_log(file))
    for (int i = 0; i < FILES && watched[i].name[0]; i++) land(watched + i);
  pthread_mutex_unlock(&lock);
}

static int opened(const char *path, int fd) {
  if (fd < 0 || fd >= DESCRIPTORS) return fd;
  pthread_mutex_lock(&lock);
  file_of[fd] = find(path);
  pthread_mutex_unlock(&lock);
  return fd;
}

static mode_t mode_in(int flags, va_list arguments) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  start();
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(path, real_open(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
  start();
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(path, real_open(path, flags, mode));
}

int close(int fd) {
  start();
  if (fd >= 0 && fd < DESCRIPTORS) file_of[fd] = 0;
  return real_close(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) {
  start();
  ssize_t done = real_pwrite(fd, bytes, n, at);
  if (done > 0) remember(fd, 0, bytes, done, at);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }

ssize_t write(int fd, const void *bytes, size_t n) {
  start();
  if (!behind(fd)) return real_write(fd, bytes, n);
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t done = real_write(fd, bytes, n);
  if (done > 0) remember(fd, 0, bytes, done, at);
  return done;
}

int ftruncate64(int fd, off_t length) {
  start();
  int failed = real_ftruncate(fd, length);
  if (!failed) remember(fd, 1, 0, 0, length);
  return failed;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) {
  start();
  int failed = real_fsync(fd);
  if (!failed) synced(fd);
  return failed;
}

int fdatasync(int fd) {
  start();
  int failed = real_fdatasync(fd);
  if (!failed) synced(fd);
  return failed;
}

int unlink(const char *path) {
  start();
  int failed = real_unlink(path);
  pthread_mutex_lock(&lock);
  int index = failed ? 0 : find(path);
  if (index) {
    char copy[NAME * 3];
    forget_changes(watched + index - 1, -1);
    snprintf(copy, sizeof copy, "%s/%s", shadow, watched[index - 1].name);
    real_unlink(copy);
  }
  pthread_mutex_unlock(&lock);
  return failed;
}
