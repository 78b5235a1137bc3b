/** Which requests the audit log holds, and by what word. What is recorded about people is theirs and not listed here. */

/** By method and pattern. What only owners may do is told even when it is not listed, by method and path. */
export const ACTS: Readonly<Record<string, string>> = {
  'POST /claim': 'claim',
  'POST /auth/register': 'register',
  'POST /auth/login': 'sign-in',
  'POST /auth/logout': 'sign-out',
  'POST /auth/step-up': 'step-up',
  'PATCH /auth/me': 'account-change',
  'POST /local/claim': 'claim',
  'POST /local/passwd': 'password-set',
  'POST /local/reset': 'reset',
  'POST /local/users/:userId/disable': 'user-disable',
  'POST /people': 'person-add',
  'PATCH /people/:personId': 'person-change',
  'PUT /people/:personId': 'person-change',
  'DELETE /people/:personId': 'person-remove',
  'POST /privacy/consents': 'grant',
  'DELETE /privacy/consents/:id': 'grant-end',
  'POST /groups': 'group-add',
  'PATCH /groups/:groupId': 'group-change',
  'PUT /groups/:groupId': 'group-change',
  'DELETE /groups/:groupId': 'group-remove',
  'POST /groups/:groupId/members': 'group-join',
  'DELETE /groups/:groupId/members/:person': 'group-leave',
  'POST /pairing/generate': 'invite',
  'POST /pairing/connect': 'pairing-ask',
  'POST /pairing/requests/:id/approve': 'let-in',
  'POST /pairing/requests/:id/deny': 'turn-away',
  'DELETE /pairing/:device_id': 'unpair',
  'POST /devices': 'device-add',
  'PATCH /devices/:deviceId': 'device-change',
  'PUT /devices/:deviceId': 'device-change',
  'DELETE /devices/:deviceId': 'device-remove',
  'POST /devices/found/:key/approve': 'device-add',
  'POST /cameras': 'camera-add',
  'PATCH /cameras/:cameraId': 'camera-change',
  'PUT /cameras/:cameraId': 'camera-change',
  'DELETE /cameras/:cameraId': 'camera-remove',
  'POST /live/start': 'session-start',
  'POST /live/stop': 'session-stop',
  'DELETE /sessions/:sessionId': 'session-remove',
  'POST /calendar/feeds': 'feed-add',
  'DELETE /calendar/feeds/:feedId': 'feed-remove',
  'POST /rules': 'rule-add',
  'PUT /rules/:ruleId': 'rule-change',
  'PATCH /rules/:ruleId': 'rule-change',
  'DELETE /rules/:ruleId': 'rule-remove',
  'PUT /alerts/settings': 'settings-change',
  'PATCH /alerts/settings': 'settings-change',
  'POST /alerts/ntfy': 'ntfy-add',
  'DELETE /alerts/ntfy': 'ntfy-remove',
  'POST /integrations/whoop/connect': 'account-link',
  'POST /integrations/whoop/callback': 'account-link',
  'DELETE /integrations/whoop': 'account-unlink',
  'POST /imports': 'import',
  'PUT /uploaders/plain': 'plain-open',
  'DELETE /uploaders/plain': 'plain-shut',
  'POST /models/pull': 'models-pull',
  'POST /system/snapshots': 'snapshot',
  'PATCH /privacy/retention': 'retention-change',
  'POST /privacy/export/:exportId/ticket': 'export-fetch',
  'POST /backup': 'backup',
  'POST /backup/key': 'backup-key',
  'POST /backup/:backupId/ticket': 'backup-fetch',
  'GET /people/:personId/export': 'export',
}

/** What owners do that says nothing: looking around, or the step before one that is listed. */
export const UNLISTED: ReadonlySet<string> = new Set([
  'POST /tasks/aggregate-daily',
  'POST /privacy/erase',
  'POST /privacy/erase/confirm',
  'DELETE /system/recovered',
])

/** Where a wrong secret is worth a line. */
export const REFUSALS: Readonly<Record<string, string>> = {
  'POST /claim': 'claim-refused',
  'POST /auth/register': 'register-refused',
  'POST /auth/login': 'sign-in-refused',
  'POST /auth/refresh': 'token-refused',
  'POST /auth/step-up': 'step-up-refused',
  'POST /pairing/connect': 'pairing-refused',
}

/** Signed-in routes that decide themselves whose data goes out: what they open, by the first word of their path. */
export const READS: Readonly<Record<string, string>> = {
  sessions: 'training',
  live: 'training',
  cameras: 'media',
  episodes: 'wellness',
  alerts: 'wellness',
  calendar: 'training',
  dashboard: 'any',
  meals: 'media',
}

/** Pages that speak of a person without any value of theirs. */
export const ACCOUNT_PAGES: ReadonlySet<string> = new Set(['/people/:personId'])
