/** Who may do what, written down a second time and on its own, for comparison with what the hub decides. */

export type Class = 'wellness' | 'glucose' | 'training' | 'media'
export const CLASSES: readonly Class[] = ['wellness', 'glucose', 'training', 'media']

/** What became of a request: it got through to its handler, or the status of the refusal. */
export type Verdict = 'in' | 401 | 403 | 404

/** Somebody who asks about Mia. */
export interface Subject {
  name: string
  role: 'nobody' | 'box' | 'owner' | 'caregiver' | 'coach' | 'member' | 'device'
  /** Type of a device. */
  type?: string
  /** Classes of Mia's data that this subject may read or write at the time of asking. */
  reads: readonly Class[]
  writes: readonly Class[]
  /** Whether this subject is Mia. */
  isMia?: boolean
  /** A device that Mia wears. */
  isMias?: boolean
}

/** What a route asks of whoever uses it. */
export interface Need {
  who:
    | 'everybody'
    | 'box'
    | 'owners'
    | 'users'
    | 'users and devices'
    | 'owners and integrations'
    | 'owners and coaches'
    /** Integrations of one person, not even owners: they have other routes. */
    | 'uploaders'
    /** Tablets with a key of their own, which the table asks elsewhere. */
    | 'walls'
  /** What must be open of Mia's data; `any` is at least one class. */
  of?: { action: 'reads' | 'writes'; class: Class | 'any' }
  /** What is asked for is not there. */
  absent?: boolean
  /** Beyond seeing her, one must be an owner or Mia. */
  ownRecord?: boolean
  /** About something of hers that nobody hears of without this class: it is not there for them. */
  hidden?: boolean
  /** Whoever may see it may do this only as an owner. */
  byOwner?: boolean
}

/** One way to ask a route. */
export interface Ask {
  need: Need
  query?: string
  body?: object
  /** Whether the handler decides too, so that it must run. */
  run?: boolean
}

const EVERYBODY: Need = { who: 'everybody' }
const BOX: Need = { who: 'box' }
const OWNERS: Need = { who: 'owners' }
const USERS: Need = { who: 'users' }
const WATCHERS: Need = { who: 'owners and integrations' }
const UPLOADERS: Need = { who: 'uploaders' }
const SEES_MIA: Need = { who: 'users', of: { action: 'reads', class: 'any' } }
const reads = (one: Class): Need => ({ who: 'users', of: { action: 'reads', class: one } })
const writes = (one: Class): Need => ({ who: 'users and devices', of: { action: 'writes', class: one } })

/** Mia's camera, which an owner added. */
const SEES_CAMERA: Need = { ...reads('media'), hidden: true }
const CHANGES_CAMERA: Need = { ...SEES_CAMERA, byOwner: true }
/** A map that puts a pitch into the picture, metres as pixels. */
const FLAT = [1, 0, 0, 0, 1, 0, 0, 0, 1]
/** Mia's session, which an owner made. */
const HIDDEN_TRAINING: Need = { ...reads('training'), hidden: true }
const CHANGES_SESSION: Need = { ...HIDDEN_TRAINING, byOwner: true }
const ADDS_CAMERAS: Need = { who: 'owners and coaches' }

/** What was recorded is corrected by people, not by devices. */
const corrects = (one: Class): Need => ({ who: 'users', of: { action: 'writes', class: one } })
const CORRECTS_GLUCOSE = corrects('glucose')

const RULE = { name: 'Fast', condition: { type: 'above', metric: 'hr', threshold: 180 } }
const PLAN = { title: 'Practice', start_time: '2026-03-16T16:00:00Z', end_time: '2026-03-16T17:30:00Z' }
const TS = '2026-03-14T07:59:00Z'
const moment = (metrics: object) => ({ person_id: 'mia', timestamp: TS, wellness_metrics: metrics })
const bulk = (sample: object) => ({ person_id: 'mia', samples: [{ ts: TS, ...sample }] })

const EVENING = '2026-03-13T22:00:00Z'

/** One kind of record: the same six ways for each. */
function recordRoutes(path: string, kind: string, one: Class, body: object): Record<string, readonly Ask[]> {
  const correcting: Ask = { need: corrects(one), run: true }
  return {
    [`POST ${path}`]: [{ need: writes(one), body: { person_id: 'mia', ...body }, run: true }],
    [`GET ${path}`]: [{ need: reads(one), query: 'person_id=mia', run: true }],
    [`GET ${path}/:${kind}Id`]: [{ need: reads(one), run: true }],
    [`PATCH ${path}/:${kind}Id`]: [{ ...correcting, body: {} }],
    [`PUT ${path}/:${kind}Id`]: [{ ...correcting, body: {} }],
    [`DELETE ${path}/:${kind}Id`]: [correcting],
  }
}

/** Nightscout's routes, each with and without the ending that some clients add. */
function nightscoutRoutes(): Record<string, readonly Ask[]> {
  const both = (methods: string, path: string, ask: Ask) =>
    methods
      .split(' ')
      .flatMap((method) => [`${method} ${path}`, `${method} ${path}.json`].map((key) => [key, [ask]]))
  const read: Ask = { need: UPLOADERS, run: true }
  const write: Ask = { ...read, body: [] }
  // PUT takes any document but readings and treatments, so from then on there is one of that name.
  const absentFrom = (name: string, method: string): Need =>
    method === 'GET' || name === 'entries' || name === 'treatments'
      ? { ...UPLOADERS, absent: true }
      : UPLOADERS
  const collections = ['entries', 'treatments', 'devicestatus', 'profile', 'settings', 'food']
  return Object.fromEntries([
    ...[
      '/entries',
      '/entries/sgv',
      '/entries/mbg',
      '/entries/current',
      '/treatments',
      '/devicestatus',
      '/profile',
      '/activity',
      '/status',
    ].flatMap((path) => both('GET', path, read)),
    ...both('POST', '/entries', write),
    ...['/treatments', '/devicestatus', '/profile', '/activity'].flatMap((path) =>
      both('POST PUT', path, write),
    ),
    ...both('DELETE', '/treatments', { ...read, query: 'find[_id]=x' }),
    ...[
      'GET /verifyauth',
      'GET /experiments/test',
      'GET /pebble',
      'GET /api/v2/properties',
      'GET /api/v2/properties/:names',
      'GET /api/v2/authorization/request/:token',
      'GET /api/v3/version',
      'GET /api/v3/status',
      'GET /api/v3/lastModified',
      'DELETE /treatments/:treatmentId',
    ].map((key) => [key, [read]]),
    ...collections.flatMap((name) => [
      [`GET /api/v3/${name}`, [read]],
      [`GET /api/v3/${name}/history/:lastModified`, [read]],
      [`POST /api/v3/${name}`, [{ ...read, body: {} }]],
      [`PUT /api/v3/${name}/:identifier`, [{ ...read, body: {} }]],
      ...['GET', 'PATCH', 'DELETE'].map((method) => [
        `${method} /api/v3/${name}/:identifier`,
        [{ need: absentFrom(name, method), run: true, ...(method === 'PATCH' ? { body: {} } : {}) }],
      ]),
    ]),
  ])
}

/** Every route of the API, by method and pattern. */
export const ROUTES: Readonly<Record<string, readonly Ask[]>> = {
  'GET /health': [{ need: EVERYBODY }],
  'GET /welcome': [{ need: EVERYBODY }],
  'GET /ready': [{ need: WATCHERS, run: true }],
  'GET /sync': [{ need: OWNERS }],
  'POST /sync/enrol': [{ need: OWNERS, body: { address: 'https://cloud.example', code: 'AAAA-BBBB-CCCC' } }],
  'DELETE /sync/enrol': [{ need: OWNERS }],
  'PUT /sync/pause': [{ need: OWNERS, body: { paused: false } }],
  'PUT /sync/people/:personId': [{ need: OWNERS, body: { leaves: [] } }],
  'GET /system': [{ need: OWNERS }],
  'GET /uploaders/plain': [{ need: OWNERS }],
  'PUT /uploaders/plain': [{ need: OWNERS, body: { hours: 1 } }],
  'DELETE /uploaders/plain': [{ need: OWNERS }],
  'GET /system/support': [{ need: OWNERS }],
  'POST /system/snapshots': [{ need: OWNERS }],
  'DELETE /system/recovered': [{ need: OWNERS }],
  'GET /metrics': [{ need: WATCHERS, run: true }],
  'GET /ws': [{ need: EVERYBODY }],
  'GET /events': [{ need: USERS }],
  'POST /claim': [{ need: EVERYBODY }],
  'POST /auth/register': [{ need: EVERYBODY }],
  'POST /auth/login': [{ need: EVERYBODY }],
  'POST /auth/refresh': [{ need: EVERYBODY }],
  'POST /auth/logout': [{ need: EVERYBODY }],
  'POST /auth/step-up': [{ need: USERS }],
  'GET /auth/me': [{ need: USERS }],
  'PATCH /auth/me': [{ need: USERS }],
  'GET /users': [{ need: OWNERS }],
  'GET /local/claim-code': [{ need: BOX }],
  'POST /local/claim': [{ need: BOX, body: { name: 'x', password: 'y' } }],
  'POST /local/passwd': [{ need: BOX, body: { name: 'x', password: 'y' } }],
  'POST /local/reset': [{ need: BOX }],
  'POST /local/users/:userId/disable': [{ need: BOX }],
  'GET /people': [{ need: USERS }],
  'POST /people': [{ need: OWNERS }],
  'GET /people/:personId': [{ need: SEES_MIA, run: true }],
  'PATCH /people/:personId': [{ need: { ...SEES_MIA, ownRecord: true }, body: {}, run: true }],
  'PUT /people/:personId': [{ need: { ...SEES_MIA, ownRecord: true }, body: {}, run: true }],
  'DELETE /people/:personId': [{ need: OWNERS }],
  'GET /people/:personId/latest': [{ need: SEES_MIA, run: true }],
  'GET /people/:personId/timeline': [{ need: SEES_MIA, run: true }],
  'GET /people/:personId/observations': [
    { need: reads('wellness'), query: 'metric=heart_rate', run: true },
    { need: reads('glucose'), query: 'metric=ketone', run: true },
    { need: reads('training'), query: 'metric=position', run: true },
  ],
  'GET /people/:personId/export': [{ need: SEES_MIA, run: true }],
  'GET /people/:personId/daily': [{ need: SEES_MIA, run: true }],
  'GET /people/:personId/burnout': [{ need: reads('wellness'), run: true }],
  'GET /forecast/:personId': [{ need: reads('wellness') }],
  'GET /people/:personId/anomaly': [{ need: reads('wellness'), run: true }],
  'GET /integrations/whoop/connect': [{ need: corrects('wellness'), query: 'person_id=mia' }],
  'POST /integrations/whoop/connect': [{ need: corrects('wellness'), query: 'person_id=mia' }],
  'GET /integrations/whoop/callback': [{ need: EVERYBODY }],
  'POST /integrations/whoop/callback': [{ need: EVERYBODY }],
  'GET /integrations/whoop/status': [{ need: reads('wellness'), query: 'person_id=mia', run: true }],
  'POST /integrations/whoop/sync': [{ need: corrects('wellness'), query: 'person_id=mia' }],
  'DELETE /integrations/whoop': [{ need: corrects('wellness'), query: 'person_id=mia', run: true }],
  'GET /dashboard/summary': [{ need: SEES_MIA, query: 'person_id=mia', run: true }],
  'POST /ingest': [
    { need: writes('wellness'), body: moment({ hr: 72 }), run: true },
    { need: writes('glucose'), body: moment({ glucose: 110 }), run: true },
  ],
  'POST /health_data/ingest': [
    { need: { ...writes('wellness'), of: { action: 'writes', class: 'any' } }, body: bulk({ hr: 72 }) },
  ],
  'POST /glucose/readings': [
    { need: writes('glucose'), body: { person_id: 'mia', timestamp: TS, value: 110 }, run: true },
  ],
  'POST /glucose/bulk': [
    {
      need: writes('glucose'),
      body: { person_id: 'mia', readings: [{ timestamp: TS, value: 110 }] },
      run: true,
    },
  ],
  'GET /glucose/readings': [{ need: reads('glucose'), query: 'person_id=mia', run: true }],
  'GET /glucose/readings/:readingId': [{ need: reads('glucose'), run: true }],
  'PATCH /glucose/readings/:readingId': [{ need: CORRECTS_GLUCOSE, body: { value: 111 }, run: true }],
  'PUT /glucose/readings/:readingId': [{ need: CORRECTS_GLUCOSE, body: { value: 111 }, run: true }],
  'DELETE /glucose/readings/:readingId': [{ need: CORRECTS_GLUCOSE, run: true }],
  'GET /glucose/daily-summary': [{ need: reads('glucose'), query: 'person_id=mia', run: true }],
  ...recordRoutes('/mood', 'mood', 'wellness', { rating: 6 }),
  ...recordRoutes('/sleep', 'sleep', 'wellness', { sleep_start: EVENING, sleep_end: TS }),
  ...recordRoutes('/activities', 'activity', 'wellness', { timestamp: TS, activity_type: 'running' }),
  ...recordRoutes('/meals', 'meal', 'glucose', { timestamp: TS }),
  'POST /meals/:mealId/photo': [{ need: USERS }],
  'GET /meals/:mealId/photo': [{ need: USERS }],
  'DELETE /meals/:mealId/photo': [{ need: USERS }],
  'POST /episodes/start': [{ need: writes('wellness'), body: { person_id: 'mia', kind: 'fall' }, run: true }],
  'GET /episodes': [{ need: USERS }],
  'GET /episodes/user/:user_id': [{ need: SEES_MIA, run: true }],
  'GET /episodes/:episodeId': [{ need: reads('wellness'), run: true }],
  'PATCH /episodes/:episodeId': [{ need: corrects('wellness'), body: {}, run: true }],
  'POST /episodes/:episodeId/notes': [{ need: reads('wellness'), body: { text: 'calm' }, run: true }],
  'POST /episodes/:episodeId/analyze': [{ need: reads('wellness'), body: {}, run: true }],
  'POST /episodes/:episodeId/acknowledge': [{ need: reads('wellness'), body: {}, run: true }],
  'POST /episodes/:episodeId/escalate': [{ need: USERS }],
  'POST /episodes/:episodeId/reopen': [{ need: USERS }],
  'PUT /episodes/:episodeId/resolve': [{ need: corrects('wellness'), body: {}, run: true }],
  'GET /rules': [{ need: USERS }],
  'POST /rules': [{ need: corrects('wellness'), body: { person_id: 'mia', ...RULE }, run: true }],
  'GET /rules/presets': [{ need: SEES_MIA, query: 'person_id=mia', run: true }],
  'POST /rules/test': [
    { need: reads('wellness'), body: { person_id: 'mia', condition: RULE.condition }, run: true },
  ],
  'GET /rules/:ruleId': [{ need: reads('wellness'), run: true }],
  'GET /rules/:ruleId/versions': [{ need: reads('wellness'), run: true }],
  'PUT /rules/:ruleId': [{ need: corrects('wellness'), body: {}, run: true }],
  'PATCH /rules/:ruleId': [{ need: corrects('wellness'), body: {}, run: true }],
  'DELETE /rules/:ruleId': [{ need: USERS }],
  'POST /alerts': [{ need: writes('wellness'), body: { person_id: 'mia', title: 'Come' }, run: true }],
  'POST /alerts/test': [{ need: corrects('wellness'), body: { person_id: 'mia' }, run: true }],
  'GET /alerts': [{ need: USERS }],
  'GET /alerts/reach': [{ need: USERS, run: true }],
  'GET /alerts/settings': [{ need: USERS }],
  'PUT /alerts/settings': [{ need: USERS }],
  'PATCH /alerts/settings': [{ need: USERS }],
  'POST /alerts/ntfy': [{ need: USERS }],
  'DELETE /alerts/ntfy': [{ need: USERS }],
  'GET /wall': [{ need: { who: 'walls' }, run: true }],
  'POST /wall/shown': [{ need: { who: 'walls' }, body: { alerts: [] }, run: true }],
  'GET /alerts/push': [{ need: USERS }],
  'PUT /alerts/push': [{ need: OWNERS, body: { enabled: false } }],
  'POST /alerts/push/subscriptions': [{ need: USERS }],
  'DELETE /alerts/push/subscriptions/:subscriptionId': [{ need: USERS }],
  'GET /alerts/:alertId': [{ need: reads('wellness'), run: true }],
  'POST /alerts/:alertId/acknowledge': [{ need: reads('wellness'), run: true }],
  'POST /alerts/:alertId/snooze': [{ need: USERS }],
  'POST /alerts/:alertId/seen': [{ need: reads('wellness'), body: {}, run: true }],
  'GET /ntfy/:topic/json': [{ need: EVERYBODY }],
  'GET /ntfy/:topic/sse': [{ need: EVERYBODY }],
  'GET /ntfy/:topic/auth': [{ need: EVERYBODY }],
  ...recordRoutes('/journal', 'journal', 'wellness', { energy: 6 }),
  'GET /groups': [{ need: USERS }],
  'POST /groups': [{ need: OWNERS }],
  'GET /groups/:groupId': [{ need: USERS }],
  'PATCH /groups/:groupId': [{ need: OWNERS }],
  'PUT /groups/:groupId': [{ need: OWNERS }],
  'DELETE /groups/:groupId': [{ need: OWNERS }],
  'POST /groups/:groupId/members': [{ need: OWNERS }],
  'DELETE /groups/:groupId/members/:person': [{ need: OWNERS }],
  'GET /community/zones': [{ need: USERS, run: true }],
  'POST /community/zones': [{ need: OWNERS }],
  'GET /community/zones/:zoneId': [{ need: USERS }],
  'PATCH /community/zones/:zoneId': [{ need: OWNERS }],
  'PUT /community/zones/:zoneId': [{ need: OWNERS }],
  'DELETE /community/zones/:zoneId': [{ need: OWNERS }],
  'GET /community/zones/:zoneId/status': [{ need: USERS }],
  'POST /imports': [
    { need: { who: 'users', of: { action: 'writes', class: 'any' } }, query: 'person_id=mia' },
  ],
  'GET /imports': [{ need: USERS, run: true }],
  'GET /imports/:importId': [{ need: USERS }],
  'GET /imports/:importId/skipped': [{ need: USERS }],
  'POST /integrations/apple-health': [
    {
      need: { ...writes('wellness'), of: { action: 'writes', class: 'any' } },
      body: { person_id: 'mia' },
      run: true,
    },
    {
      need: writes('glucose'),
      body: { person_id: 'mia', glucose_readings: [{ timestamp: TS, value: 110 }] },
      run: true,
    },
    {
      need: writes('wellness'),
      body: { person_id: 'mia', sleep_sessions: [{ sleep_start: EVENING, sleep_end: TS }] },
      run: true,
    },
  ],
  'GET /jobs': [{ need: USERS, run: true }],
  'GET /jobs/:jobId': [{ need: USERS }],
  'POST /jobs/:jobId/cancel': [{ need: USERS }],
  'POST /jobs/:jobId/retry': [{ need: USERS }],
  'POST /tasks/aggregate-daily': [{ need: OWNERS }],
  'POST /tasks/calibrate': [{ need: OWNERS }],
  'POST /tasks/restore-drill': [{ need: OWNERS }],
  'GET /tasks/status/:taskId': [{ need: OWNERS }],
  'GET /cameras': [{ need: USERS }],
  'POST /cameras': [{ need: ADDS_CAMERAS }],
  'POST /cameras/probe': [{ need: ADDS_CAMERAS }],
  'POST /cameras/discover': [{ need: ADDS_CAMERAS }],
  'POST /cameras/discover/streams': [{ need: ADDS_CAMERAS }],
  'GET /cameras/:cameraId': [{ need: SEES_CAMERA, run: true }],
  'PATCH /cameras/:cameraId': [{ need: CHANGES_CAMERA, body: {}, run: true }],
  'PUT /cameras/:cameraId': [{ need: CHANGES_CAMERA, body: {}, run: true }],
  'DELETE /cameras/:cameraId': [{ need: USERS }],
  'GET /cameras/:cameraId/tracks': [{ need: SEES_CAMERA, run: true }],
  'GET /cameras/:cameraId/poses': [{ need: SEES_CAMERA, run: true }],
  'GET /cameras/:cameraId/calibration': [{ need: USERS }],
  'PUT /cameras/:cameraId/calibration': [
    { need: CHANGES_CAMERA, body: { homography: FLAT, width: 640, height: 480 }, run: true },
  ],
  'POST /cameras/:cameraId/calibration/dismiss': [{ need: USERS }],
  'DELETE /cameras/:cameraId/calibration': [{ need: CHANGES_CAMERA, run: true }],
  'POST /live/start': [{ need: USERS, body: { camera_ids: ['camera-mia'] } }],
  'POST /live/stop': [{ need: USERS, body: { session_id: 'session-mia' } }],
  'GET /live/:sessionId/status': [{ need: USERS }],
  'POST /live/:sessionId/assign': [
    { need: USERS, body: { camera_id: 'camera-mia', track_id: 1, player_id: 'mia' } },
  ],
  'POST /live/:sessionId/recording': [{ need: USERS, body: { record: false } }],
  'POST /live/:sessionId/phones': [{ need: USERS, body: {} }],
  'POST /live/:sessionId/phones/:userId/accept': [{ need: USERS }],
  'DELETE /live/:sessionId/phones/:userId': [{ need: USERS }],
  'GET /live/recording-room': [{ need: USERS }],
  'POST /live/:sessionId/tags': [{ need: USERS, body: { label: 'goal' } }],
  'GET /household/preferences': [{ need: USERS, run: true }],
  'PATCH /household/preferences': [{ need: OWNERS, body: { glucose_unit: 'mg/dL' }, run: true }],
  'GET /calendar/events': [
    { need: USERS, run: true },
    { need: reads('training'), query: 'player_id=mia', run: true },
  ],
  'POST /calendar/events': [{ need: corrects('training'), body: { player_id: 'mia', ...PLAN }, run: true }],
  'POST /calendar/validate': [{ need: reads('training'), body: { player_id: 'mia', ...PLAN }, run: true }],
  'POST /calendar/recommend': [{ need: reads('training'), body: { player_id: 'mia' }, run: true }],
  'GET /calendar/events/:eventId': [{ need: reads('training'), run: true }],
  'PATCH /calendar/events/:eventId': [{ need: corrects('training'), body: {}, run: true }],
  'PUT /calendar/events/:eventId': [{ need: corrects('training'), body: {}, run: true }],
  'DELETE /calendar/events/:eventId': [{ need: USERS }],
  'GET /calendar/feeds': [{ need: USERS, run: true }],
  'POST /calendar/feeds': [{ need: USERS, body: { player_id: 'mia' } }],
  'DELETE /calendar/feeds/:feedId': [{ need: USERS }],
  'GET /calendar/feed.ics': [{ need: EVERYBODY, query: 'token=nobody-made-a-feed-with-this' }],
  'GET /sessions': [{ need: USERS, run: true }],
  'POST /sessions': [{ need: USERS }],
  'GET /sessions/:sessionId': [{ need: HIDDEN_TRAINING, run: true }],
  'PATCH /sessions/:sessionId': [{ need: CHANGES_SESSION, body: {}, run: true }],
  'PUT /sessions/:sessionId': [{ need: CHANGES_SESSION, body: {}, run: true }],
  'DELETE /sessions/:sessionId': [{ need: USERS }],
  'POST /sessions/:sessionId/rpe': [{ need: USERS, body: { rpe: 5 } }],
  'GET /sessions/:sessionId/timeline': [{ need: HIDDEN_TRAINING, run: true }],
  'POST /sessions/:sessionId/tags': [{ need: USERS, body: { label: 'goal', ts: 1 } }],
  'DELETE /sessions/:sessionId/tags/:tagId': [{ need: USERS }],
  'GET /sessions/:sessionId/tracks': [{ need: HIDDEN_TRAINING, run: true }],
  'GET /sessions/:sessionId/heatmap': [{ need: HIDDEN_TRAINING, run: true }],
  'GET /sessions/:sessionId/speed': [{ need: HIDDEN_TRAINING, query: 'player_id=mia', run: true }],
  'GET /sessions/:sessionId/compare': [{ need: HIDDEN_TRAINING, run: true }],
  'GET /sessions/:sessionId/attachments': [{ need: HIDDEN_TRAINING, run: true }],
  'POST /sessions/:sessionId/attachments': [{ need: USERS }],
  'GET /sessions/:sessionId/attachments/:attachmentId': [{ need: USERS }],
  'DELETE /sessions/:sessionId/attachments/:attachmentId': [{ need: USERS }],
  'GET /models': [{ need: USERS }],
  'POST /models/pull': [{ need: OWNERS, body: { pack: 'training' } }],
  'GET /cameras/:cameraId/snapshot.jpg': [{ need: USERS }],
  'GET /cameras/:cameraId/stream.mjpeg': [{ need: USERS }],
  'POST /cameras/:cameraId/view': [{ need: USERS }],
  'DELETE /cameras/:cameraId/view/:viewId': [{ need: USERS }],
  'POST /cameras/:cameraId/webrtc': [{ need: USERS }],
  'DELETE /cameras/:cameraId/webrtc/:streamId': [{ need: USERS }],
  'POST /live/frame': [{ need: { who: 'users and devices' } }],
  ...nightscoutRoutes(),
  'GET /devices': [{ need: USERS }],
  'POST /devices': [{ need: OWNERS }],
  'GET /devices/:deviceId': [{ need: SEES_MIA, run: true }],
  'PATCH /devices/:deviceId': [{ need: OWNERS }],
  'PUT /devices/:deviceId': [{ need: OWNERS }],
  'DELETE /devices/:deviceId': [{ need: OWNERS }],
  'GET /devices/found': [{ need: OWNERS }],
  'POST /devices/found/:key/approve': [{ need: OWNERS }],
  'DELETE /devices/found/:key': [{ need: OWNERS }],
  'GET /devices/:deviceId/quarantine': [{ need: OWNERS }],
  'POST /pairing/generate': [{ need: OWNERS }],
  'POST /pairing/connect': [{ need: EVERYBODY }],
  'GET /pairing/requests': [{ need: OWNERS }],
  'GET /pairing/requests/:id': [{ need: EVERYBODY }],
  'POST /pairing/requests/:id/approve': [{ need: OWNERS }],
  'POST /pairing/requests/:id/deny': [{ need: OWNERS }],
  'GET /pairing/devices': [{ need: OWNERS }],
  'DELETE /pairing/:device_id': [{ need: OWNERS }],
  'GET /privacy/consents': [{ need: USERS }],
  'POST /privacy/consents': [{ need: OWNERS }],
  'DELETE /privacy/consents/:id': [{ need: OWNERS }],
  'GET /backup': [{ need: OWNERS }],
  'POST /backup': [{ need: OWNERS }],
  'POST /backup/key': [{ need: OWNERS }],
  'POST /backup/:backupId/ticket': [{ need: OWNERS }],
  'GET /backup/:backupId/file': [{ need: EVERYBODY, query: 'ticket=nothing' }],
  'POST /privacy/export': [{ need: { ...SEES_MIA, ownRecord: true }, body: { person_id: 'mia' }, run: true }],
  'GET /privacy/export': [{ need: USERS, run: true }],
  'POST /privacy/export/:exportId/ticket': [{ need: USERS }],
  'GET /privacy/export/:exportId/archive': [{ need: EVERYBODY, query: 'ticket=nothing' }],
  'POST /privacy/erase': [{ need: OWNERS }],
  'POST /privacy/erase/confirm': [{ need: OWNERS }],
  'GET /privacy/erase': [{ need: OWNERS, run: true }],
  'GET /privacy/retention': [{ need: OWNERS, run: true }],
  'PATCH /privacy/retention': [{ need: OWNERS }],
  'GET /privacy/anonymised': [{ need: OWNERS }],
  'GET /privacy/audit': [{ need: USERS, run: true }],
  'GET /privacy/audit/verify': [{ need: OWNERS, run: true }],
}

/** Pages and files outside of the API: no data of anybody. */
export const PAGES: readonly RegExp[] = [
  /^\/$/,
  /^\/app(?:\/|$)/,
  /^\/trusted$/,
  /^\/docs(?:\/|$)/,
  /^\/mqtt$/,
  /^\/api\/v1\/openapi\.json$/,
]

const USER_ROLES: readonly string[] = ['owner', 'caregiver', 'coach', 'member']

/** What the hub ought to answer. */
export function verdictOf(need: Need, subject: Subject): Verdict {
  if (need.who === 'everybody') return 'in'
  const isOwner = subject.role === 'owner' || subject.role === 'box'
  if (need.who === 'box') return subject.role === 'box' ? 'in' : 404
  if (subject.role === 'nobody') return 401
  if (need.who === 'walls') return subject.type === 'wall' ? 'in' : 403
  if (need.who === 'uploaders') {
    if (subject.type !== 'integration' || !subject.isMias) return 403
    return need.absent ? 404 : 'in'
  }
  if (!mayUse(need.who, subject, isOwner)) return 403
  if (!need.of || isOwner) return 'in'
  const open = need.of.action === 'reads' ? subject.reads : subject.writes
  const covered = need.of.class === 'any' ? open.length > 0 : open.includes(need.of.class)
  if (!covered && need.hidden) return 404
  if (!covered) return subject.reads.length > 0 || subject.isMias ? 403 : 404
  if (need.byOwner) return 403
  return need.ownRecord && !subject.isMia ? 403 : 'in'
}

function mayUse(who: Need['who'], subject: Subject, isOwner: boolean): boolean {
  if (isOwner) return true
  switch (who) {
    case 'users':
      return USER_ROLES.includes(subject.role)
    case 'users and devices':
      return USER_ROLES.includes(subject.role) || subject.role === 'device'
    case 'owners and coaches':
      return subject.role === 'coach'
    case 'owners and integrations':
      return subject.type === 'integration'
    default:
      return false
  }
}
