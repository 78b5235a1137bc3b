/** Every camera in memory as the store has it, and the statements that change it. */
import type { CameraAccess, CameraKind } from '../../domain/camera.ts'
import type { Store, Write } from '../../store/store.ts'

/** More than any box here decodes; a limit, so that a mistake cannot fill memory. */
export const CAMERAS_MAX = 16

export interface KnownCamera extends CameraAccess {
  id: string
  name: string
  kind: CameraKind
  /** As shown. */
  url: string | null
  sealed: Uint8Array | null
  hasCredentials: boolean
  deviceId: string | null
  lender: string | null
  lentTo: string | null
  analyse: boolean
  enabled: boolean
  createdAtMs: number
  updatedAtMs: number
}

export interface Directory {
  get(id: string): KnownCamera | undefined
  /** Oldest first. */
  all(): KnownCamera[]
  ofDevice(deviceId: string): KnownCamera | undefined
  reload(): void
}

type Row = Omit<KnownCamera, 'hasCredentials' | 'analyse' | 'enabled' | 'personIds'> & {
  hasCredentials: number
  analyse: number
  enabled: number
}

const SELECT = `SELECT camera.id, camera.name, camera.kind, url, sealed, has_credentials AS hasCredentials,
    device.id AS deviceId, analyse, enabled, user.id AS addedBy, lending.id AS lender, lent_to AS lentTo,
    camera.created_at AS createdAtMs, camera.updated_at AS updatedAtMs
  FROM camera LEFT JOIN device ON device.key = camera.device_key LEFT JOIN user ON user.key = camera.added_by
    LEFT JOIN user lending ON lending.key = camera.lender
  ORDER BY camera.key`
const SELECT_PERSONS = `SELECT camera.id AS cameraId, person.id AS personId
  FROM camera_person JOIN camera ON camera.key = camera_key JOIN person ON person.key = person_key
  WHERE person.deleted_at IS NULL ORDER BY person.key`

export function createDirectory(store: Store): Directory {
  let cameras = new Map<string, KnownCamera>()

  function reload(): void {
    const persons = store.all<{ cameraId: string; personId: string }>(SELECT_PERSONS)
    cameras = new Map(
      store.all<Row>(SELECT).map((row) => [
        row.id,
        {
          ...row,
          hasCredentials: row.hasCredentials === 1,
          analyse: row.analyse === 1,
          enabled: row.enabled === 1,
          personIds: persons.filter(({ cameraId }) => cameraId === row.id).map(({ personId }) => personId),
        },
      ]),
    )
  }

  reload()
  return {
    get: (id) => cameras.get(id),
    all: () => [...cameras.values()],
    ofDevice: (deviceId) => [...cameras.values()].find((camera) => camera.deviceId === deviceId),
    reload,
  }
}

const FIELDS = `name = :name, kind = :kind, url = :url, sealed = :sealed, has_credentials = :hasCredentials,
  device_key = (SELECT key FROM device WHERE id = :deviceId), analyse = :analyse, enabled = :enabled, updated_at = :updatedAtMs,
  added_by = (SELECT key FROM user WHERE id = :addedBy), lender = (SELECT key FROM user WHERE id = :lender), lent_to = :lentTo`

/** Counts in the same statement, so that two at once do not become one too many. */
export function insertCamera(camera: KnownCamera): Write[] {
  const { id, createdAtMs } = camera
  return [
    {
      sql: `INSERT INTO camera (id, name, kind, url, sealed, has_credentials, device_key, analyse, enabled, added_by,
              lender, lent_to, created_at, updated_at)
            SELECT :id, :name, :kind, :url, :sealed, :hasCredentials, (SELECT key FROM device WHERE id = :deviceId),
              :analyse, :enabled, (SELECT key FROM user WHERE id = :addedBy), (SELECT key FROM user WHERE id = :lender), :lentTo,
              :createdAtMs, :updatedAtMs
            WHERE (SELECT count(*) FROM camera) < ${CAMERAS_MAX}`,
      params: { ...fieldsOf(camera), id, createdAtMs },
      expect: 1,
    },
    ...film(camera),
  ]
}

export function updateCamera(camera: KnownCamera): Write[] {
  const { id } = camera
  return [
    { sql: `UPDATE camera SET ${FIELDS} WHERE id = :id`, params: { ...fieldsOf(camera), id }, expect: 1 },
    {
      sql: 'DELETE FROM camera_person WHERE camera_key = (SELECT key FROM camera WHERE id = :id)',
      params: { id },
    },
    ...film(camera),
  ]
}

export function deleteCamera(id: string): Write[] {
  return [{ sql: 'DELETE FROM camera WHERE id = :id', params: { id }, expect: 1 }]
}

function film({ id, personIds }: KnownCamera): Write[] {
  return personIds.map((personId) => ({
    sql: `INSERT INTO camera_person (camera_key, person_key)
          SELECT camera.key, person.key FROM camera, person
          WHERE camera.id = :id AND person.id = :personId AND person.deleted_at IS NULL`,
    params: { id, personId },
    expect: 1,
  }))
}

function fieldsOf(camera: KnownCamera) {
  const { name, kind, url, sealed, hasCredentials, deviceId, analyse, enabled, updatedAtMs } = camera
  const { addedBy, lender, lentTo } = camera
  const bit = (value: boolean) => (value ? 1 : 0)
  return {
    ...{ name, kind, url, sealed, deviceId, updatedAtMs, addedBy, lender, lentTo },
    ...{ hasCredentials: bit(hasCredentials), analyse: bit(analyse), enabled: bit(enabled) },
  }
}
