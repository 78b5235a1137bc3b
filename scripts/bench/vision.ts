/** What a camera's pictures cost from the network to the skeleton, beside the models run bare. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { createCamera } from '../../daemon/media/camera.ts'
import { findDecoder } from '../../daemon/media/decoder/sandbox.ts'
import { createRtspSource } from '../../daemon/media/rtsp/source.ts'
import { createVision } from '../../daemon/media/vision/vision.ts'
import { type InstalledModel, modelFolders, readCatalogue } from '../../models/catalogue.ts'
import { createInference, type Inference } from '../../models/inference.ts'
import type { Job } from '../../models/jobs.ts'
import { createShelf } from '../../models/shelf.ts'
import { simulateCamera } from './cameras-simulated.ts'
import { temporaryData } from './hub-process.ts'
import { modelSeconds, processorSeconds } from './process-use.ts'
import { interleaved, median, pairedRatio, type Row } from './row.ts'
import { shortNumber } from './table.ts'
import { type Bare, createBare, type RunCost, startOpenCv } from './vision-bare.ts'
import { peopleFilm, yoloxFile } from './vision-clips.ts'
import { trackRow } from './vision-tracks.ts'

const ROUNDS = 4
/** A usual camera, and for one person one that is faster than two cores look, so that the models and not the camera are the limit. */
const CAMERA_FPS = 30
const FAST_CAMERA_FPS = 90
const MOST_FPS = 1000
const WARM_MS = 2500
const WATCH_MS = 3000
const BARE_RUNS = 20
const AIM = 1.25

/** The first `npm run bench -- vision` of a machine needs the sample films; without them the part is left out. */
export async function visionRows(rounds = ROUNDS): Promise<Row[]> {
  const rows: Row[] = []
  const bare = createBare()
  try {
    for (const pack of ['training', 'bundled'] as const) {
      const models = await installed(pack)
      for (const people of [1, 6] as const)
        rows.push(...(await cameraRows(people, models, pack, bare, rounds)))
    }
    rows.push(await openCvRow(await installed('training'), bare, rounds))
  } finally {
    await bare.close()
  }
  return [...rows, trackRow()]
}

/** The bundled models, and YOLOX-nano besides where the better pack is meant. */
export async function installed(
  pack: 'training' | 'bundled',
  dataDir = temporaryData(),
): Promise<readonly InstalledModel[]> {
  const folders = modelFolders(dataDir)
  if (pack === 'training') {
    const shelf = createShelf({
      folders,
      ensureFolder: async (path) => mkdirSync(path, { recursive: true }),
      write: async (path, content) => {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, content)
      },
      fetch: globalThis.fetch,
      now: Date.now,
    })
    await shelf.install({ bytes: readFileSync(yoloxFile()), name: 'yolox-nano', origin: 'imported' })
  }
  return (await readCatalogue(folders)).models
}

/** What a few seconds of looking gave. */
interface Looked {
  fps: number
  /** Milliseconds between two results. */
  wallMs: number
  /** Processor milliseconds of the models' process for each result, and elsewhere (this camera and the decoder) for each picture. */
  threadMs: number
  aroundMs: number
  /** Milliseconds a result in the inference process, by kind of job, and what of it the models ran. */
  stages: Record<string, { total: number; model: number }>
  decodeMs: number
  /** Runs a result, by model. */
  runs: Record<string, number>
  people: number
  ageMs: number
  note: string
}

async function cameraRows(
  people: 1 | 6,
  models: readonly InstalledModel[],
  pack: string,
  bare: Bare,
  rounds: number,
): Promise<Row[]> {
  const cameraFps = people === 1 && pack === 'training' ? FAST_CAMERA_FPS : CAMERA_FPS
  const camera = await simulateCamera(peopleFilm(people, cameraFps), 'rtsp')
  const inference = createInference()
  try {
    const { ours, theirs } = await interleaved(rounds, {
      ours: () => lookFor(camera.url, models, inference),
      theirs: async () => {
        const costs = new Map<string, RunCost>()
        for (const file of models) costs.set(file.name, await bare(file, BARE_RUNS))
        return costs
      },
    })
    const bareMs = ours.map((looked, at) => sumOf(looked.runs, theirs[at], ({ wallMs }) => wallMs))
    const bareCpu = ours.map((looked, at) => sumOf(looked.runs, theirs[at], ({ processorMs }) => processorMs))
    const ratio = pairedRatio(
      ours.map(({ wallMs }) => wallMs),
      bareMs,
    )
    const cpuRatio = pairedRatio(
      ours.map(({ threadMs, aroundMs }) => threadMs + aroundMs),
      bareCpu,
    )
    const seen = median(ours.map((one) => one.people))
    const name = `720p ${cameraFps} fps, ${people} ${people === 1 ? 'person' : 'people'}, ${pack} models`
    return [
      {
        name,
        hub: `${shortNumber(median(ours.map(({ fps }) => fps)))} fps, ${shortNumber(seen)} seen, age p50 ${median(ours.map(({ ageMs }) => ageMs)).toFixed(0)} ms`,
        beside: `bare ONNX Runtime, same runs: ${shortNumber(1000 / median(bareMs))} fps`,
        ...{ ratio, target: `<= ${AIM} x time`, met: ratio <= AIM },
      },
      {
        name: '  processor time of a picture that is looked at',
        hub: `models' process ${shortNumber(median(ours.map(({ threadMs }) => threadMs)))} + camera, decoder, rest ${shortNumber(median(ours.map(({ aroundMs }) => aroundMs)))} ms`,
        beside: `bare: ${shortNumber(median(bareCpu))} ms`,
        ...{ ratio: cpuRatio, target: '', met: null },
      },
      stageRow(ours, theirs),
    ]
  } finally {
    await inference.close()
    await camera.stop()
  }
}

function stageRow(ours: readonly Looked[], theirs: readonly Map<string, RunCost>[]): Row {
  const last = ours.at(-1)
  const kinds = Object.keys(last?.stages ?? {})
  const said = kinds.map((kind) => {
    const part = (of: 'total' | 'model') =>
      shortNumber(median(ours.map(({ stages }) => stages[kind]?.[of] ?? 0)))
    return `${kind} ${part('total')} (models ${part('model')})`
  })
  const inThread = (one: Looked) => Object.values(one.stages).reduce((sum, { total }) => sum + total, 0)
  const rest = median(ours.map((one) => one.wallMs - inThread(one)))
  const decode = shortNumber(median(ours.map(({ decodeMs }) => decodeMs)))
  const runs = Object.entries(last?.runs ?? {}).map(([model, count]) => {
    const each = shortNumber(median(theirs.map((costs) => costs.get(model)?.wallMs ?? 0)))
    return `${model} ${count.toFixed(2)} x ${each}`
  })
  return {
    name: '  stages, ms a result',
    hub: `${said.join(', ')}, tracks and rest ${shortNumber(rest)}; decoder ${decode} cpu a picture`,
    beside: `runs a result: ${runs.join(', ')} (${last?.note.split(':')[0] ?? ''})`,
    ...{ ratio: null, target: '', met: null },
  }
}

function sumOf(
  runs: Record<string, number>,
  costs: Map<string, RunCost> | undefined,
  of: (cost: RunCost) => number,
): number {
  return Object.entries(runs).reduce((sum, [model, count]) => {
    const cost = costs?.get(model)
    return sum + (cost ? of(cost) * count : 0)
  }, 0)
}

/** A camera as the hub runs it, looked at for some seconds. */
async function lookFor(
  url: string,
  models: readonly InstalledModel[],
  inference: Inference,
): Promise<Looked> {
  const clock = systemClock()
  const log = createLog('silent')
  const decoder = await findDecoder()
  const source = createRtspSource({ url, credentials: null, clock })
  const camera = createCamera({ id: 'pitch', source, clock, log, decoder })
  const jobs = watched(inference)
  const vision = createVision({
    ...{ inference: [jobs.inference], models: async () => models, firstTrackId: () => 1 },
    ...{ clock, log, mostFps: MOST_FPS },
  })
  const detach = vision.attach({ id: 'pitch', ring: camera.ring })
  const results: { people: number; ageMs: number }[] = []
  vision.onResult(({ people, analysedAtMs, capturedAtMs }) => {
    results.push({ people: people.length, ageMs: analysedAtMs - capturedAtMs })
  })
  try {
    camera.start()
    await sleep(WARM_MS)
    while (results.length === 0) await sleep(50)
    results.length = 0
    jobs.reset()
    const before = { ms: performance.now(), cpu: cpuOf(), frames: camera.state().frames }
    await sleep(WATCH_MS)
    const ms = performance.now() - before.ms
    const cpu = cpuOf()
    const count = results.length
    const frames = camera.state().frames - before.frames
    const behind = cpu.behind - before.cpu.behind
    return {
      fps: (count * 1000) / ms,
      wallMs: ms / count,
      threadMs: (behind * 1000) / count,
      aroundMs: ((cpu.all - before.cpu.all - behind) * 1000) / frames,
      decodeMs: ((cpu.children - before.cpu.children) * 1000) / frames,
      ...jobs.each(count),
      people: median(results.map((one) => one.people)),
      ageMs: median(results.map((one) => one.ageMs)),
      note: vision.state('pitch')?.note ?? '',
    }
  } finally {
    detach()
    await camera.stop()
    await vision.stop()
  }
}

function cpuOf() {
  const { user, system } = process.cpuUsage()
  const all = processorSeconds(process.pid)
  const behind = modelSeconds()
  return { all, children: all - behind - (user + system) / 1e6, behind }
}

/** An inference that counts what is asked of it. */
function watched(inference: Inference) {
  const stages: Record<string, { total: number; model: number }> = {}
  const runs: Record<string, number> = {}
  const run: Inference['run'] = async <J extends Job>(job: J) => {
    const answer = await inference.run(job)
    const stage = stages[job.kind] ?? { total: 0, model: 0 }
    stages[job.kind] = stage
    stage.total += answer.tookMs.total
    stage.model += answer.tookMs.model
    for (const [model, count] of Object.entries(answer.tookMs.runs)) runs[model] = (runs[model] ?? 0) + count
    return answer
  }
  return {
    inference: { run },
    reset() {
      for (const kind of Object.keys(stages)) delete stages[kind]
      for (const model of Object.keys(runs)) delete runs[model]
    },
    each: (results: number) => ({
      stages: Object.fromEntries(
        Object.entries(stages).map(([kind, { total, model }]) => [
          kind,
          { total: total / results, model: model / results },
        ]),
      ),
      runs: Object.fromEntries(Object.entries(runs).map(([model, count]) => [model, count / results])),
    }),
  }
}

async function openCvRow(models: readonly InstalledModel[], bare: Bare, rounds: number): Promise<Row> {
  const file = models.find(({ family }) => family === 'yolox')
  if (file === undefined) throw new Error('YOLOX was not installed')
  const peer = await startOpenCv(file)
  try {
    const { ours, theirs } = await interleaved(rounds * 2, {
      ours: () => bare(file, BARE_RUNS),
      theirs: () => peer.cost(BARE_RUNS),
    })
    const cpu = (costs: readonly RunCost[]) => costs.map(({ processorMs }) => processorMs)
    return {
      name: 'YOLOX-nano 416, one run, processor time',
      hub: `ONNX Runtime ${shortNumber(median(cpu(ours)))} ms`,
      beside: `OpenCV ${peer.version} dnn, one thread: ${shortNumber(median(cpu(theirs)))} ms`,
      ratio: pairedRatio(cpu(ours), cpu(theirs)),
      ...{ target: '< 1', met: pairedRatio(cpu(ours), cpu(theirs)) < 1 },
    }
  } finally {
    peer.close()
  }
}
