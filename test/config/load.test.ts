import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { ConfigError, type Env, loadConfig } from '../../config/load.ts'

function problems(env: Env): [string, unknown][] {
  try {
    loadConfig(env)
  } catch (cause) {
    assert.ok(cause instanceof ConfigError)
    return cause.problems.map(({ path, value }) => [path, value])
  }
  return []
}

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'hf-config-')), 'hub.yaml')
  writeFileSync(path, text)
  return path
}

test('without a file or environment every setting has its default', () => {
  const config = loadConfig({})
  assert.equal(config.http.port, 8080)
  assert.equal(config.mqtt.host, '127.0.0.1')
  assert.equal(config.mdns.enabled, true)
  assert.ok(Object.isFrozen(config.http))
})

test('the environment wins over the file, key by key', () => {
  const config = loadConfig({
    HOMEFIELD_CONFIG: file('name: Hallway\nhttp: { port: 81, rateLimitPerMinute: 7 }\n'),
    HOMEFIELD_HTTP_PORT: '0',
    HOMEFIELD_HTTP_HOSTNAMES: 'a.lan, b.lan',
    HOMEFIELD_MDNS_ENABLED: 'false',
  })
  assert.equal(config.name, 'Hallway')
  assert.equal(config.http.port, 0)
  assert.equal(config.http.rateLimitPerMinute, 7)
  assert.deepEqual(config.http.hostnames, ['a.lan', 'b.lan'])
  assert.equal(config.mdns.enabled, false)
})

test('every error is told at once with its path and the value seen', () => {
  const HOMEFIELD_CONFIG = file('htpp: {}\nhttp: { port: 99999, colour: red }\nlog: loud\n')
  assert.deepEqual(problems({ HOMEFIELD_CONFIG, HOMEFIELD_MQTT_PORT: 'many' }).sort(), [
    ['htpp', {}],
    ['http.colour', 'red'],
    ['http.port', 99999],
    ['log', 'loud'],
    ['mqtt.port', 'many'],
  ])
})

test('a section that is not a mapping is refused and not overwritten by the environment', () => {
  assert.deepEqual(problems({ HOMEFIELD_CONFIG: file('http: 8080\n'), HOMEFIELD_HTTP_PORT: '1' }), [
    ['http', 8080],
  ])
})

test('an unknown HOMEFIELD_ variable refuses the start', () => {
  assert.deepEqual(problems({ HOMEFIELD_HTTP_PROT: '1' }), [['HOMEFIELD_HTTP_PROT', '1']])
})

test('a named file that is missing, broken or too large is an error and not an empty one', () => {
  assert.equal(problems({ HOMEFIELD_CONFIG: '/nowhere/hub.yaml' }).length, 1)
  assert.equal(problems({ HOMEFIELD_CONFIG: file('http: [') }).length, 1)
  assert.equal(problems({ HOMEFIELD_CONFIG: file(`# ${'x'.repeat(300_000)}`) }).length, 1)
  assert.equal(problems({ HOMEFIELD_CONFIG: file('- a\n- b\n') }).length, 1)
})

test('the example file holds exactly the defaults', () => {
  const example: unknown = parse(readFileSync('config/hub.example.yaml', 'utf8'))
  assert.deepEqual(example, loadConfig({}))
})
