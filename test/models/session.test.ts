import assert from 'node:assert/strict'
import test from 'node:test'
import { countedBytes, createSessions, type ModelFile } from '../../models/session.ts'
import { fakeClock } from '../fakes/clock.ts'

function model(name: string, bytes = 1_000_000): ModelFile {
  return { name, path: `${name}.onnx`, bytes, input: { name: 'x', shape: [1] }, outputs: [] }
}

function setup(budgetModels = 2) {
  const clock = fakeClock()
  const events: string[] = []
  const sessions = createSessions({
    clock,
    budgetBytes: budgetModels * countedBytes(model('any')),
    idleMs: 60_000,
    open: (file) => {
      events.push(`open ${file.name}`)
      return Promise.resolve({
        providers: ['cpu'],
        run: (input) => Promise.resolve({ y: input }),
        close: () => {
          events.push(`close ${file.name}`)
          return Promise.resolve()
        },
      })
    },
  })
  const run = (name: string, bytes?: number) => sessions.run(model(name, bytes), Float32Array.of(1))
  return { clock, events, sessions, run }
}

test('a model is loaded with its first run and shared by those that follow', async () => {
  const { events, run, sessions } = setup()
  assert.deepEqual(sessions.loaded(), [])
  await Promise.all([run('lite'), run('lite'), run('lite')])
  assert.deepEqual(events, ['open lite'])
  assert.equal(sessions.loaded()[0]!.countedBytes, countedBytes(model('lite')))
})

test('a model that nobody used for a while is unloaded, and loaded again when it is asked for', async () => {
  const { clock, events, run, sessions } = setup()
  await run('lite')
  clock.advance(40_000)
  await run('full')
  clock.advance(40_000)
  await run('full')
  assert.deepEqual(events, ['open lite', 'open full', 'close lite'])
  await run('lite')
  assert.equal(sessions.counters().idleUnloads, 1)
  assert.equal(sessions.counters().loads, 3)
})

test('over the memory budget the model that was not used for longest makes room', async () => {
  const { events, run, sessions } = setup()
  await run('detector')
  await run('lite')
  await run('detector')
  await run('full')
  assert.deepEqual(events, ['open detector', 'open lite', 'close lite', 'open full'])
  assert.deepEqual(
    sessions.loaded().map(({ name }) => name),
    ['detector', 'full'],
  )
  assert.equal(sessions.counters().budgetUnloads, 1)
})

test('a model larger than the whole budget is refused and costs the others nothing', async () => {
  const { events, run } = setup()
  await run('lite')
  await assert.rejects(run('huge', 1_000_000_000), /huge counts as .* all models together/)
  await run('lite')
  assert.deepEqual(events, ['open lite'])
})

test('closing unloads everything', async () => {
  const { events, run, sessions } = setup()
  await run('lite')
  await sessions.close()
  assert.deepEqual(events, ['open lite', 'close lite'])
})
