import { type Static, type TProperties, Type } from 'typebox'

/** A section whose keys all have defaults, so that leaving it out means the defaults. */
function section<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false, default: {} })
}

const port = (value: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: value })

/** An MQTT broker to join; what its devices publish under `topics` is read as a gateway's is. */
const JoinedBroker = Type.Object(
  {
    name: Type.String({
      pattern: '^(?!(in|out|found)$)[A-Za-z0-9_-]{1,32}$',
      description: 'Also the id of the gateway that stands for it in the list of devices',
    }),
    url: Type.String({ pattern: '^mqtts?://[^/?#@\\s]+/?$', maxLength: 300 }),
    username: Type.String({ maxLength: 256, default: '' }),
    passwordFile: Type.String({
      maxLength: 1024,
      default: '',
      description: 'Holds the password; empty: none',
    }),
    caFile: Type.String({
      maxLength: 1024,
      default: '',
      description: 'PEM of the authority behind its certificate; empty: those that the machine trusts',
    }),
    topics: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { minItems: 1, maxItems: 32 }),
  },
  { additionalProperties: false },
)

/** Every setting of the hub, with its default: the only definition. Ports of 0 mean any free one. */
export const Config = section({
  data: Type.String({ minLength: 1, default: './data', description: 'Data directory, created 0700' }),
  name: Type.String({ minLength: 1, maxLength: 64, default: 'Homefield' }),
  log: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
  timezone: Type.String({ default: '', description: "IANA zone of the household; empty: the machine's" }),
  http: section({
    host: Type.String({ default: '0.0.0.0' }),
    port: port(8080),
    rateLimitPerMinute: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 100 }),
    deviceRateLimitPerMinute: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 1200 }),
    allowedOrigins: Type.Array(Type.String(), { default: [], maxItems: 32 }),
    hostnames: Type.Array(Type.String({ maxLength: 253 }), {
      default: [],
      maxItems: 32,
      description: 'Further names this hub answers to',
    }),
  }),
  https: section({
    host: Type.String({ default: '0.0.0.0' }),
    port: port(8443),
    maxConnectionsPerAddress: Type.Integer({
      minimum: 1,
      maximum: 2000,
      default: 128,
      description:
        'From one address (a /64 of IPv6), plain HTTP included; this machine itself is not limited',
    }),
  }),
  mqtt: section({
    host: Type.String({
      default: '127.0.0.1',
      description: 'Plain MQTT stays on loopback unless changed here',
    }),
    port: port(1883),
    maxConnections: Type.Integer({ minimum: 1, maximum: 10_000, default: 512 }),
    maxConnectionsPerAddress: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 64,
      description: 'From one address (a /64 of IPv6); this machine itself is not limited',
    }),
    maxPacketBytes: Type.Integer({ minimum: 256, maximum: 16_777_216, default: 65_536 }),
    maxCameraPacketBytes: Type.Integer({ minimum: 256, maximum: 16_777_216, default: 1_048_576 }),
    maxSubscriptions: Type.Integer({ minimum: 1, maximum: 1000, default: 8 }),
    messagesPerSecond: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 50 }),
    messageBurst: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 500 }),
    bridges: Type.Array(JoinedBroker, {
      default: [],
      maxItems: 8,
      description: 'Brokers that are there already, which the hub joins as a client',
    }),
  }),
  mqtts: section({ host: Type.String({ default: '0.0.0.0' }), port: port(8883) }),
  alarms: section({
    webhookUrl: Type.String({
      pattern: '^(https?://[^/?#]+([/?].*)?)?$',
      maxLength: 500,
      default: '',
      description: 'Told of every alert by POST; empty: off',
    }),
    webhookSecret: Type.String({
      maxLength: 256,
      default: '',
      description: 'Signs what is posted: HMAC-SHA256 in x-homefield-signature',
    }),
    smtpUrl: Type.String({
      pattern: '^(smtps?://[^/?#@\\s]+/?)?$',
      maxLength: 300,
      default: '',
      description: 'Mail server for alerts, with TLS: smtps://host or smtp://host; empty: off',
    }),
    smtpUser: Type.String({ maxLength: 256, default: '', description: 'Empty: without signing in' }),
    smtpPasswordFile: Type.String({ maxLength: 1024, default: '', description: 'Holds the password' }),
    smtpFrom: Type.String({
      pattern: '^([^\\s@<>]+@[^\\s@<>]+)?$',
      maxLength: 254,
      default: '',
      description: 'Address that mails come from',
    }),
    smtpWords: Type.Boolean({
      default: false,
      description: 'Write title and message of an alert into the mail; else it only says whom to look after',
    }),
    pushContact: Type.String({
      pattern: '^(mailto:[^\\s@<>]+@[^\\s@<>]+|https://[^\\s]+)$',
      maxLength: 300,
      default: 'mailto:homefield@example.org',
      description:
        'Whom a push service may write to; some refuse messages without an address that looks real',
    }),
    speech: Type.Boolean({ default: false, description: "Say alerts aloud on this box's own loudspeaker" }),
    speechVoice: Type.String({
      pattern: '^[a-z][A-Za-z0-9+-]{0,31}$',
      default: 'en',
      description: 'Voice of espeak-ng',
    }),
  }),
  cameras: section({
    allowPublic: Type.Boolean({
      default: false,
      description: 'Fetch pictures from outside of this network as well',
    }),
  }),
  models: section({
    runtime: Type.String({
      maxLength: 1024,
      default: '',
      description: 'Folder of an ONNX Runtime built for this box; empty: the packaged one, on the processor',
    }),
  }),
  whoop: section({
    clientId: Type.String({
      maxLength: 128,
      default: '',
      description: 'Of the client registered at WHOOP; empty: off',
    }),
    clientSecret: Type.String({ maxLength: 256, default: '' }),
    baseUrl: Type.String({
      pattern: '^https?://[^/?#]+/?$',
      maxLength: 200,
      default: 'https://api.prod.whoop.com',
    }),
    redirectUri: Type.String({
      maxLength: 500,
      default: '',
      description:
        "As registered at WHOOP; empty: this hub's own address with /api/v1/integrations/whoop/callback",
    }),
  }),
  sync: section({
    dailyMegabytes: Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      default: 0,
      description: 'Sent to the cloud a day (UTC) at most, alerts and consents excepted; 0: no limit',
    }),
    bulkHours: Type.String({
      pattern: '^(([01]?[0-9]|2[0-3])-([01]?[0-9]|2[0-3]))?$',
      default: '',
      description: 'Hours of the household in which single values may be sent, such as 1-5; empty: always',
    }),
    waitingChunks: Type.Integer({
      minimum: 100,
      maximum: 10_000_000,
      default: 200_000,
      description:
        'Days of single values that wait for the cloud at most; beyond it the oldest are given up, with a record of it',
    }),
  }),
  mdns: section({ enabled: Type.Boolean({ default: true }) }),
})
export type Config = Static<typeof Config>
