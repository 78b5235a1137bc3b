/** Nothing acknowledged is lost and nothing counts twice, whether the hub is killed or the power fails; wrong builds are noticed. */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { removeTemporaryData } from '../../scripts/bench/hub-process.ts'
import { type KillOptions, killRounds } from '../../scripts/bench/kill.ts'
import { createNative, type Native } from '../../scripts/bench/native.ts'
import { Skipped } from '../../scripts/bench/row.ts'
import { report, roundsOr } from './report.ts'
import { wrongBuild } from './wrong-build.ts'

after(removeTemporaryData)

const ROUNDS = roundsOr(2)
/** A wrong build loses something in nearly every round. */
const ROUNDS_TO_NOTICE = 12
const SEED = Number(process.env['HOMEFIELD_FAULT_SEED'] ?? 1)
const USUAL: KillOptions = { rounds: ROUNDS, watches: 8, window: 20, seed: SEED }

const NORMAL = [
  { file: 'daemon/store/database.js', from: /synchronous = FULL/, to: 'synchronous = NORMAL' },
  {
    file: 'daemon/store/database.js',
    from: /requireSetting\(db, ["']synchronous["'], FULL\)/,
    to: 'void FULL',
  },
]
/** It stores a little later, so that it is noticed on a machine whose disk is faster than its clients, too. */
const ACKNOWLEDGE_FIRST = [
  {
    file: 'daemon/broker/express.js',
    from: /append\(rows\)\.then\(/,
    to: '(setTimeout(() => void append(rows).catch(() => {}), 200), Promise.resolve()).then(',
  },
  {
    file: 'daemon/broker/gate.js',
    from: /return \{ result: await write\(\) \}/,
    to: 'setTimeout(() => void write().catch(() => {}), 200); return { result: undefined }',
  },
]

async function rounds(t: TestContext, fault: string, options: KillOptions) {
  const result = await killRounds(options)
  report(t, { fault, ...result })
  return result
}

/** Null, and the test skipped, where nothing can be compiled. */
function compiled(t: TestContext): Native | null {
  const native = createNative()
  try {
    native.preloadable('powercut')
    return native
  } catch (cause) {
    if (!(cause instanceof Skipped)) throw cause
    t.skip(cause.message)
    return null
  }
}

test('what was acknowledged under load is there exactly once after kill -9 at random moments', async (t) => {
  const { lost, doubled, acknowledged } = await rounds(t, 'kill -9', USUAL)
  assert.ok(acknowledged > 0)
  assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 })
})

test('what was acknowledged under load is there exactly once after the power failed at random moments', async (t) => {
  const native = compiled(t)
  if (!native) return
  const powerCut = { native, forgets: false }
  const { lost, doubled, acknowledged } = await rounds(t, 'power cut', { ...USUAL, powerCut })
  assert.ok(acknowledged > 0)
  assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 })
})

test('a build that does not sync each commit is noticed when the power fails', async (t) => {
  const native = compiled(t)
  if (!native) return
  const program = wrongBuild(t, NORMAL)
  const options = { ...USUAL, rounds: ROUNDS_TO_NOTICE, program, untilLost: true }
  const { lost } = await rounds(t, 'wrong build: synchronous=NORMAL, power cut', {
    ...options,
    powerCut: { native, forgets: false },
  })
  assert.ok(lost > 0, 'nobody noticed')
})

test('a build that acknowledges before it stores is noticed when it is killed', async (t) => {
  const program = wrongBuild(t, ACKNOWLEDGE_FIRST)
  const options = { ...USUAL, rounds: ROUNDS_TO_NOTICE, program, untilLost: true }
  const { lost } = await rounds(t, 'wrong build: acknowledge first, kill -9', options)
  assert.ok(lost > 0, 'nobody noticed')
})
