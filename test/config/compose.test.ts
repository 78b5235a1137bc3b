/** The compose file of the cloud, checked by hand: nothing here can start it, so at least what it names must be there. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { repositoryRoot } from '../ui/repository-root.ts'

const FOLDER = join(repositoryRoot(), 'config/cloud')
const strict = { additionalProperties: false }
const Words = Type.Array(Type.String())
/** The part of the compose specification that we use, and nothing else. */
const Service = Type.Object(
  {
    image: Type.Optional(Type.String({ pattern: '^[a-z0-9/.-]+:[\\w.-]+$' })),
    build: Type.Optional(Type.Object({ context: Type.String(), dockerfile: Type.String() }, strict)),
    command: Type.Optional(Words),
    environment: Type.Record(Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }), Type.String()),
    volumes: Type.Optional(Words),
    ports: Type.Optional(Words),
    depends_on: Type.Optional(
      Type.Record(Type.String(), Type.Object({ condition: Type.Literal('service_healthy') }, strict)),
    ),
    healthcheck: Type.Optional(
      Type.Object(
        { test: Words, interval: Type.String(), timeout: Type.String(), retries: Type.Integer() },
        strict,
      ),
    ),
    restart: Type.Literal('unless-stopped'),
  },
  strict,
)
const Compose = Type.Object(
  {
    name: Type.String(),
    services: Type.Record(Type.String(), Service),
    volumes: Type.Record(Type.String(), Type.Null()),
  },
  strict,
)
const check = Compile(Compose)

function compose() {
  const text = readFileSync(join(FOLDER, 'compose.yaml'), 'utf8')
  const file: unknown = parse(text)
  assert.deepEqual([...check.Errors(file)], [])
  assert.ok(check.Check(file))
  return { text, file }
}

test('the compose file is one, and everything it names is there', () => {
  const { text, file } = compose()
  const names = Object.keys(file.services)
  assert.deepEqual(names.sort(), ['cloud', 'electric', 'postgres'])
  for (const [name, { image, build, depends_on: needs = {}, volumes = [] }] of Object.entries(
    file.services,
  )) {
    assert.ok(image ?? build, name)
    assert.doesNotMatch(image ?? '', /:latest$/, name)
    for (const other of Object.keys(needs))
      assert.ok(file.services[other]?.healthcheck, `${other} has no health`)
    for (const [from = ''] of volumes.map((volume) => volume.split(':')))
      assert.ok(from.startsWith('./') ? existsSync(join(FOLDER, from)) : from in file.volumes, from)
  }
  assert.ok(existsSync(join(FOLDER, file.services['cloud']?.build?.context ?? '', 'config/cloud/Dockerfile')))
  const wanted = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name))
  const known = [...readFileSync(join(FOLDER, 'example.env'), 'utf8').matchAll(/^(\w+)=/gm)].map(
    ([, name]) => name,
  )
  assert.deepEqual([...wanted].sort(), known.sort())
})

test('Electric and Postgres have no port outside, Electric owns no table and is new enough', () => {
  const { file } = compose()
  const { postgres, electric, cloud } = file.services
  assert.deepEqual([postgres?.ports, electric?.ports], [undefined, undefined])
  for (const port of cloud?.ports ?? []) assert.match(port, /^127\.0\.0\.1:/)
  const [, major = 0, minor = 0, patch = 0] = (/:(\d+)\.(\d+)\.(\d+)$/.exec(electric?.image ?? '') ?? []).map(
    Number,
  )
  assert.ok(major * 1e6 + minor * 1e3 + patch >= 1_007_012, electric?.image)
  assert.equal(electric?.environment['ELECTRIC_MANUAL_TABLE_PUBLISHING'], 'true')
  assert.equal(electric?.environment['ELECTRIC_SECRET']?.slice(0, 18), '${ELECTRIC_SECRET:')
  assert.ok(postgres?.command?.includes('wal_level=logical'))
  assert.equal(cloud?.environment['HOMEFIELD_CLOUD_SHAPES'], 'http://electric:3000')
})
