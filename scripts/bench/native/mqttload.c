/*
 * An MQTT 3.1.1 load client that is not the bottleneck: one thread, epoll, no allocation per message.
 * Closed loop (--window N messages under way per connection), lockstep (one message under way in all) or open loop
 * (--rate per second, latency counted from the scheduled instant, so a stalled broker cannot hide its stall).
 * Ends after --seconds, or earlier after --messages in all. Prints one JSON object. Latencies are in ms.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
typedef uint8_t u8;

enum { PACKET_IDS = 8192, EVENTS = 1024, READ_BYTES = 65536, MAX_PAYLOAD = 16384, CONNECT_MS = 20000 };

static u64 now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Log-linear histogram of microseconds with a precision of 1/64. */
enum { BINS = 64 * 40 };
typedef struct { u64 counts[BINS], count, max; } Histogram;

static int bin_of(u64 us) {
  if (us < 64) return us;
  int power = 63 - __builtin_clzll(us);
  int bin = 64 + (power - 6) * 64 + ((us >> (power - 6)) & 63);
  return bin < BINS ? bin : BINS - 1;
}

static u64 lower_edge(int bin) {
  if (bin < 64) return bin;
  return (u64)(64 + (bin - 64) % 64) << ((bin - 64) / 64);
}

static void count(Histogram *h, u64 us) {
  h->counts[bin_of(us)]++;
  h->count++;
  if (us > h->max) h->max = us;
}

static double quantile_ms(const Histogram *h, double q) {
  u64 wanted = h->count * q, seen = 0;
  for (int bin = 0; bin < BINS; bin++)
    if ((seen += h->counts[bin]) > wanted) return lower_edge(bin) / 1000.0;
  return h->max / 1000.0;
}

typedef struct { u8 *bytes; size_t from, to, capacity; } Buffer;

static void reserve(Buffer *b, size_t more) {
  if (b->to + more <= b->capacity) return;
  b->capacity = (b->to + more) * 2;
  b->bytes = realloc(b->bytes, b->capacity);
  if (!b->bytes) abort();
}

static void append(Buffer *b, const void *bytes, size_t n) {
  reserve(b, n);
  memcpy(b->bytes + b->to, bytes, n);
  b->to += n;
}

typedef struct {
  int fd, number, subscribes, ready, dead, waits_for_room, under_way;
  uint16_t packet_id;
  u64 sequence;
  Buffer out, in;
  u64 *sent_at;        /* by packet id, 0 when none is under way */
  u64 *stamp_of;       /* by packet id: the instant that its payload names */
  u64 *sent_at_stamp;  /* by the low bits of that instant */
  u64 next_stamp;
  const char *id, *key;
} Connection;

static struct {
  const char *host, *credentials, *filter, *acked_path;
  int port, connections, subscribers, window, lockstep, seconds, warm, pid, samples, qos;
  double rate;
  u64 from_ms, step_ms, messages;
} args = {"127.0.0.1", 0, "hf/#", 0, 1883, 50, 0, 1, 0, 3, 1, 0, 2, 1, 0, 0, 0, 0};

static Connection *connections;
static int total, ready_count, poll_fd, measuring, turn;
static u64 acked, acked_in_all, received, lost_connections, started, measured_from;
static Histogram acknowledged, delivered;
static FILE *acked_file;

static void watch(Connection *c, int for_room) {
  struct epoll_event event = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
  c->waits_for_room = for_room;
}

static void lose(Connection *c) {
  if (c->dead) return;
  c->dead = 1;
  lost_connections++;
  epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, 0);
}

static void flush(Connection *c) {
  Buffer *b = &c->out;
  while (b->from < b->to) {
    ssize_t sent = send(c->fd, b->bytes + b->from, b->to - b->from, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN) lose(c);
      else if (!c->waits_for_room) watch(c, 1);
      return;
    }
    b->from += sent;
  }
  b->from = b->to = 0;
  if (c->waits_for_room) watch(c, 0);
}

static size_t put_text(u8 *at, const char *text, size_t n) {
  at[0] = n >> 8;
  at[1] = n;
  memcpy(at + 2, text, n);
  return n + 2;
}

static void put_packet(Connection *c, u8 type, const u8 *body, size_t n) {
  u8 header[5];
  size_t length = 0, rest = n;
  header[length++] = type;
  do {
    u8 digit = rest & 127;
    rest >>= 7;
    header[length++] = digit | (rest ? 128 : 0);
  } while (rest);
  append(&c->out, header, length);
  append(&c->out, body, n);
}

/* One wide sample of two values, or with `samples` a list of wide samples of five, `samples` values in all. */
/* With --step-ms samples stand that far apart, else a sample is stamped when it is sent, as a watch does, but never twice alike. */
static u64 stamp(Connection *c, u64 scheduled) {
  u64 step = args.step_ms ? args.step_ms : 1, span = (args.samples + 4) / 5 * step;
  u64 live = args.step_ms || scheduled < started ? 0 : args.from_ms + (scheduled - started) / 1000000;
  u64 at_ms = live > c->next_stamp ? live : c->next_stamp;
  c->next_stamp = at_ms + span;
  return at_ms;
}

static size_t payload(char *at, const Connection *c, u64 at_ms) {
  u64 step = args.step_ms ? args.step_ms : 1;
  int hr = 60 + c->sequence % 60, spo2 = 94 + c->sequence % 6;
  if (args.samples == 2)
    return sprintf(at, "{\"ts\":%llu,\"hr\":%d,\"spo2\":%d}", (unsigned long long)at_ms, hr, spo2);
  size_t n = 0;
  for (int i = 0; i < args.samples / 5; i++)
    n += sprintf(at + n, "%c{\"ts\":%llu,\"hr\":%d,\"spo2\":%d,\"respiratory_rate\":%d,\"skin_temp\":33.%d,\"stress\":0.%d}",
                 i ? ',' : '[', (unsigned long long)(at_ms + i * step), hr, spo2, 12 + (int)(c->sequence % 6),
                 (int)(c->sequence % 10), 1 + (int)(c->sequence % 8));
  at[n++] = ']';
  return n;
}

static void publish(Connection *c, u64 scheduled) {
  u8 body[MAX_PAYLOAD];
  char topic[128];
  size_t n = put_text(body, topic, snprintf(topic, sizeof topic, "hf/%s/obs", c->id));
  c->packet_id = c->packet_id == PACKET_IDS - 1 ? 1 : c->packet_id + 1;
  if (args.qos) {
    body[n++] = c->packet_id >> 8;
    body[n++] = c->packet_id;
    c->under_way++;
  }
  c->sent_at[c->packet_id] = scheduled;
  u64 at_ms = stamp(c, scheduled);
  c->stamp_of[c->packet_id] = at_ms;
  c->sent_at_stamp[at_ms % PACKET_IDS] = scheduled;
  n += payload((char *)body + n, c, at_ms);
  c->sequence++;
  put_packet(c, 0x30 | args.qos << 1, body, n);
}

static void say_connect(Connection *c) {
  u8 body[512];
  size_t n = put_text(body, "MQTT", 4);
  body[n++] = 4;
  body[n++] = 2 | (c->key ? 0xC0 : 0);
  body[n++] = 1;
  body[n++] = 44; /* keep-alive 300 s */
  n += put_text(body + n, c->id, strlen(c->id));
  if (c->key) {
    n += put_text(body + n, c->id, strlen(c->id));
    n += put_text(body + n, c->key, strlen(c->key));
  }
  put_packet(c, 0x10, body, n);
  flush(c);
}

static void subscribe(Connection *c) {
  u8 body[256] = {0, 1};
  size_t n = 2 + put_text(body + 2, args.filter, strlen(args.filter));
  body[n++] = 0;
  put_packet(c, 0x82, body, n);
  flush(c);
}

static void on_acknowledged(Connection *c, unsigned packet_id) {
  u64 sent = c->sent_at[packet_id];
  if (!sent) return;
  c->sent_at[packet_id] = 0;
  c->under_way--;
  acked_in_all++;
  if (acked_file) fprintf(acked_file, "%s %llu\n", c->id, (unsigned long long)c->stamp_of[packet_id]);
  if (measuring) {
    acked++;
    count(&acknowledged, (now_ns() - sent) / 1000);
  }
}

/* Device of the topic and `ts` name the message, and its publisher shares our memory, so it tells when it was sent. */
static void on_delivered(const u8 *body, size_t n) {
  size_t topic = body[0] << 8 | body[1];
  char text[256];
  size_t kept = n - 2 - topic < sizeof text - 1 ? n - 2 - topic : sizeof text - 1;
  memcpy(text, body + 2 + topic, kept);
  text[kept] = 0;
  const char *ts = strstr(text, "\"ts\":");
  if (!ts || !measuring) return;
  u64 at_ms = strtoull(ts + 5, 0, 10);
  for (int i = 0; i < args.connections; i++) {
    Connection *c = connections + i;
    if (strlen(c->id) + 7 != topic || memcmp(body + 2 + 3, c->id, strlen(c->id))) continue;
    u64 sent = c->sent_at_stamp[at_ms % PACKET_IDS];
    if (sent < measured_from) return;
    received++;
    count(&delivered, (now_ns() - sent) / 1000);
    return;
  }
}

static void on_packet(Connection *c, u8 type, const u8 *body, size_t n) {
  switch (type >> 4) {
    case 2:
      if (body[1]) {
        fprintf(stderr, "%s refused with code %d\n", c->id, body[1]);
        exit(3);
      }
      if (c->subscribes) subscribe(c);
      else {
        c->ready = 1;
        ready_count++;
      }
      break;
    case 9: c->ready = 1; ready_count++; break;
    case 4: on_acknowledged(c, body[0] << 8 | body[1]); break;
    case 3: on_delivered(body, n); break;
  }
}

/* Handles whole packets; answers how many bytes they took. */
static size_t parse(Connection *c, const u8 *bytes, size_t n) {
  size_t at = 0;
  while (n - at >= 2) {
    size_t length = 0, header = 1;
    int shift = 0, whole = 0;
    while (at + header < n && header < 5 && !whole) {
      u8 digit = bytes[at + header++];
      length |= (size_t)(digit & 127) << shift;
      shift += 7;
      whole = !(digit & 128);
    }
    if (!whole || n - at < header + length) break;
    on_packet(c, bytes[at], bytes + at + header, length);
    at += header + length;
  }
  return at;
}

static void on_readable(Connection *c) {
  Buffer *b = &c->in;
  for (;;) {
    reserve(b, READ_BYTES);
    ssize_t got = recv(c->fd, b->bytes + b->to, READ_BYTES, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      lose(c);
      return;
    }
    if (got < 0) break;
    b->to += got;
    if (got < READ_BYTES) break;
  }
  size_t taken = parse(c, b->bytes, b->to);
  if (!taken) return;
  memmove(b->bytes, b->bytes + taken, b->to - taken);
  b->to -= taken;
}

static void handle_events(int wait_ms) {
  struct epoll_event events[EVENTS];
  int found = epoll_wait(poll_fd, events, EVENTS, wait_ms);
  for (int i = 0; i < found; i++) {
    Connection *c = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) flush(c);
    if (!c->dead && events[i].events & ~EPOLLOUT) on_readable(c);
  }
}

static void open_connection(Connection *c, const struct sockaddr_in *to) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c->fd, (const struct sockaddr *)to, sizeof *to)) {
    perror("connect");
    exit(1);
  }
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
  say_connect(c);
}

/* Lines of "id key"; without a file the ids are made up and nobody signs in. */
static void name_connections(void) {
  FILE *file = args.credentials ? fopen(args.credentials, "r") : 0;
  if (args.credentials && !file) {
    perror(args.credentials);
    exit(2);
  }
  for (int i = 0; i < total; i++) {
    Connection *c = connections + i;
    char id[80], key[300];
    c->number = i;
    c->subscribes = i >= args.connections;
    if (c->subscribes || !file) {
      snprintf(id, sizeof id, "%s_%d", c->subscribes ? "listener" : "watch", i);
      c->id = strdup(id);
    } else {
      if (fscanf(file, "%79s %299s", id, key) != 2) {
        fprintf(stderr, "%s names fewer than %d devices\n", args.credentials, args.connections);
        exit(2);
      }
      c->id = strdup(id);
      c->key = strdup(key);
    }
    c->sent_at = calloc(PACKET_IDS, sizeof(u64));
    c->stamp_of = calloc(PACKET_IDS, sizeof(u64));
    c->sent_at_stamp = calloc(PACKET_IDS, sizeof(u64));
    c->next_stamp = args.from_ms;
  }
  if (file) fclose(file);
}

static void connect_all(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(args.port)};
  inet_pton(AF_INET, args.host, &to.sin_addr);
  u64 until = now_ns() + CONNECT_MS * 1000000ull;
  for (int i = 0; i < total; i++) {
    open_connection(connections + i, &to);
    if (i % 64 == 63) handle_events(5);
  }
  while (ready_count < total) {
    handle_events(100);
    if (lost_connections || now_ns() > until) {
      fprintf(stderr, "only %d of %d connections are ready\n", ready_count, total);
      exit(3);
    }
  }
}

static double cpu_seconds(int pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t n = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[n] = 0;
  unsigned long user = 0, system = 0;
  sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return (user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double resident_mb(int pid) {
  char path[64];
  long resident = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  if (fscanf(file, "%*d %ld", &resident) != 1) resident = 0;
  fclose(file);
  return resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void publish_due(u64 t, u64 *sent) {
  u64 due = (u64)((t - started) * 1e-9 * args.rate) + 1;
  for (; *sent < due; ++*sent) {
    Connection *c = connections + *sent % args.connections;
    if (!c->dead) publish(c, started + (u64)(*sent * 1e9 / args.rate));
  }
  for (int i = 0; i < args.connections; i++)
    if (connections[i].out.to && !connections[i].waits_for_room && !connections[i].dead) flush(connections + i);
}

static void fill_windows(void) {
  for (int i = 0; i < args.connections; i++) {
    Connection *c = connections + i;
    if (c->dead || c->waits_for_room || c->under_way >= args.window) continue;
    while (c->under_way < args.window) publish(c, now_ns());
    flush(c);
  }
}

static void take_turns(void) {
  Connection *c = connections + turn;
  if (c->under_way) return;
  turn = (turn + 1) % args.connections;
  publish(connections + turn, now_ns());
  flush(connections + turn);
}

static void parse_arguments(int argc, char **argv) {
  static const struct option options[] = {
    {"host", 1, 0, 'h'}, {"port", 1, 0, 'p'}, {"credentials", 1, 0, 'c'}, {"connections", 1, 0, 'n'},
    {"subscribers", 1, 0, 's'}, {"filter", 1, 0, 'f'}, {"window", 1, 0, 'w'}, {"lockstep", 0, 0, 'l'},
    {"rate", 1, 0, 'r'}, {"seconds", 1, 0, 'd'}, {"warm", 1, 0, 'W'}, {"pid", 1, 0, 'P'},
    {"samples", 1, 0, 'k'}, {"from-ms", 1, 0, 't'}, {"step-ms", 1, 0, 'T'}, {"messages", 1, 0, 'm'}, {"acked", 1, 0, 'a'}, {"qos", 1, 0, 'q'}, {0, 0, 0, 0}};
  for (int option; (option = getopt_long(argc, argv, "", options, 0)) != -1;) switch (option) {
    case 'h': args.host = optarg; break;
    case 'p': args.port = atoi(optarg); break;
    case 'c': args.credentials = optarg; break;
    case 'n': args.connections = atoi(optarg); break;
    case 's': args.subscribers = atoi(optarg); break;
    case 'f': args.filter = optarg; break;
    case 'w': args.window = atoi(optarg); break;
    case 'l': args.lockstep = 1; break;
    case 'r': args.rate = atof(optarg); break;
    case 'd': args.seconds = atoi(optarg); break;
    case 'W': args.warm = atoi(optarg); break;
    case 'P': args.pid = atoi(optarg); break;
    case 'k': args.samples = atoi(optarg); break;
    case 't': args.from_ms = strtoull(optarg, 0, 10); break;
    case 'T': args.step_ms = strtoull(optarg, 0, 10); break;
    case 'm': args.messages = strtoull(optarg, 0, 10); break;
    case 'a': args.acked_path = optarg; break;
    case 'q': args.qos = atoi(optarg); break;
    default: exit(2);
  }
}

int main(int argc, char **argv) {
  parse_arguments(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  total = args.connections + args.subscribers;
  connections = calloc(total, sizeof *connections);
  poll_fd = epoll_create1(0);
  if (args.acked_path) acked_file = fopen(args.acked_path, "w");
  name_connections();
  connect_all();

  started = now_ns();
  u64 warm_until = started + args.warm * 1000000000ull;
  u64 until = warm_until + args.seconds * 1000000000ull, looked = 0, sent = 0;
  double cpu_from = 0, resident_most = 0;
  for (u64 t; (t = now_ns()) < until && lost_connections < (u64)total && (!args.messages || acked_in_all < args.messages);) {
    if (!measuring && t >= warm_until) {
      measuring = 1;
      measured_from = t;
      cpu_from = cpu_seconds(args.pid);
    }
    if (args.pid && t - looked > 100000000) {
      looked = t;
      double mb = resident_mb(args.pid);
      if (mb > resident_most) resident_most = mb;
    }
    int wait_ms = 10;
    if (args.rate > 0) {
      publish_due(t, &sent);
      u64 next = started + (u64)(sent * 1e9 / args.rate);
      wait_ms = next > now_ns() + 1100000 ? 1 : 0;
    } else if (args.lockstep) take_turns();
    else fill_windows();
    handle_events(wait_ms);
  }
  double elapsed = (now_ns() - measured_from) / 1e9, cpu = cpu_seconds(args.pid) - cpu_from;
  /* What is under way at the end of an open loop is late, not lost: it gets ten seconds. */
  long under_way = 0;
  for (u64 wait = now_ns() + 10000000000; now_ns() < wait;) {
    under_way = 0;
    for (int i = 0; i < args.connections; i++) under_way += connections[i].under_way;
    if (!under_way || lost_connections) break;
    handle_events(5);
  }
  u64 furthest = args.from_ms;
  for (int i = 0; i < args.connections; i++)
    if (connections[i].next_stamp > furthest) furthest = connections[i].next_stamp;
  printf("{\"ackedPerS\":%.1f,\"acked\":%llu,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"p999Ms\":%.3f,\"maxMs\":%.3f,"
         "\"cpu\":%.3f,\"residentMb\":%.1f,\"unacked\":%ld,\"lostConnections\":%llu,\"nextFromMs\":%llu,"
         "\"receivedPerS\":%.1f,\"deliveredP50Ms\":%.3f,\"deliveredP99Ms\":%.3f}\n",
         acked / elapsed, (unsigned long long)acked_in_all, quantile_ms(&acknowledged, 0.5),
         quantile_ms(&acknowledged, 0.99), quantile_ms(&acknowledged, 0.999), acknowledged.max / 1000.0, cpu / elapsed,
         resident_most, under_way, (unsigned long long)lost_connections,
         (unsigned long long)furthest, received / elapsed,
         quantile_ms(&delivered, 0.5), quantile_ms(&delivered, 0.99));
  if (acked_file) fclose(acked_file);
  return 0;
}
