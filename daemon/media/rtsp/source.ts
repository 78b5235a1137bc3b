/** An RTSP camera as a Source, over TCP, with our own client: credentials stay out of command lines and times come from RTP and RTCP. */
import type { Clock } from '../../kernel/clock.ts'
import type { Credentials } from '../digest.ts'
import { type Source, SourceFailure, type SourceSink } from '../source.ts'
import { type Connection, openConnection } from './connection.ts'
import { type Described, describe, expectOk, Moved, type Playing, play } from './session.ts'
import { createTrackReader, type TrackReader } from './track.ts'

export interface RtspSourceDeps {
  /** `rtsp://` or `rtsps://`. A user name and password in it are never used nor sent. */
  url: string
  credentials: Credentials | null
  clock: Clock
  /** Certificates, PEM, to trust instead of the system's, for `rtsps`. */
  trustedCa?: string
}

export interface RtspStats {
  /** Packets that never came, and pictures that were dropped because of it. */
  lostPackets: number
  droppedPictures: number
}

export interface RtspSource extends Source {
  /** Of the attempt that was started last. */
  stats(): RtspStats
}

const REDIRECTS = 3

/** Fails with unreachable, unauthorized, not-found, unsupported, too-large, malformed or ended. */
export function createRtspSource({ url, credentials, clock, trustedCa }: RtspSourceDeps): RtspSource {
  let reader: TrackReader | null = null
  return {
    start(sink) {
      const attempt = createAttempt({ credentials, clock, trustedCa: trustedCa ?? null }, sink, (made) => {
        reader = made
      })
      attempt.run(url)
      return attempt.close
    },
    stats: () => reader?.stats() ?? { lostPackets: 0, droppedPictures: 0 },
  }
}

interface AttemptDeps {
  credentials: Credentials | null
  clock: Clock
  trustedCa: string | null
}

function createAttempt(deps: AttemptDeps, sink: SourceSink, onReader: (reader: TrackReader) => void) {
  const { clock } = deps
  let over = false
  let connection: Connection | null = null
  let reader: TrackReader | null = null
  let playing: { described: Described; session: Playing; stopKeepAlive(): void } | null = null

  function fail(cause: unknown): void {
    if (over) return
    close()
    sink.failed(
      cause instanceof SourceFailure
        ? cause
        : new SourceFailure('malformed', `The stream cannot be read: ${String(cause).slice(0, 200)}`),
    )
  }

  function close(): void {
    if (over) return
    over = true
    playing?.stopKeepAlive()
    connection?.close(
      playing === null
        ? undefined
        : {
            method: 'TEARDOWN',
            uri: playing.described.sessionUrl,
            headers: { Session: playing.session.session },
          },
    )
  }

  function connect(url: URL): Connection {
    let channels: Pick<Playing, 'rtpChannel' | 'rtcpChannel'> | null = null
    const opened = openConnection({
      ...deps,
      url,
      onEnded: fail,
      onPacket(channel, bytes) {
        if (over || reader === null || channels === null) return
        try {
          if (channel === channels.rtpChannel) reader.rtp(bytes)
          else if (channel === channels.rtcpChannel) reader.rtcp(bytes)
        } catch (cause) {
          fail(cause)
        }
      },
    })
    connection = opened
    void converse(opened, url, (given, made) => {
      channels = given
      // Before PLAY: pictures may come in one piece with its answer.
      made.describe()
    }).catch((cause: unknown) => (cause instanceof Moved ? follow(cause.url) : fail(cause)))
    return opened
  }

  async function converse(
    opened: Connection,
    url: URL,
    onChannels: (channels: Pick<Playing, 'rtpChannel' | 'rtcpChannel'>, made: TrackReader) => void,
  ): Promise<void> {
    const described = await describe(opened, url)
    const made = createTrackReader({ track: described.track, clock, sink: guarded })
    reader = made
    onReader(made)
    const session = await play(opened, described, (channels) => onChannels(channels, made))
    if (over) return
    playing = { described, session, stopKeepAlive: keepAlive(opened, described, session) }
  }

  function keepAlive(
    opened: Connection,
    described: Described,
    { session, keepAliveMs }: Playing,
  ): () => void {
    let asking = false
    return clock.every(keepAliveMs, () => {
      if (asking) return
      asking = true
      opened
        .request(described.keepAliveMethod, described.sessionUrl, { Session: session })
        .then((answer) => {
          asking = false
          // A camera that knows neither method still counts the question as a sign of life.
          if (![400, 405, 501, 551].includes(Number(answer.startLine.slice(9, 12)))) {
            expectOk(answer, described.keepAliveMethod)
          }
        })
        .catch(fail)
    })
  }

  let redirects = 0
  function follow(url: URL): void {
    if (over) return
    connection?.close()
    if (++redirects > REDIRECTS)
      fail(new SourceFailure('not-found', 'The camera sends us around in circles.'))
    else connect(url)
  }

  /** Says nothing after the end, also when the reader still had pictures in its hands. */
  const guarded: Pick<SourceSink, 'described' | 'unit' | 'failed'> = {
    described: (facts) => {
      if (!over) sink.described(facts)
    },
    unit: (unit) => {
      if (!over) sink.unit(unit)
    },
    failed: fail,
  }

  return {
    close,
    run(text: string): void {
      const url = URL.canParse(text) ? new URL(text) : null
      if (url === null || !/^rtsps?:$/.test(url.protocol) || url.hostname === '')
        // Later, as every other failure, so that the caller has its close function before.
        void Promise.resolve().then(() =>
          fail(
            new SourceFailure(
              'malformed',
              'This is no RTSP address. It looks like rtsp://192.168.1.20:554/stream.',
            ),
          ),
        )
      else connect(url)
    },
  }
}
