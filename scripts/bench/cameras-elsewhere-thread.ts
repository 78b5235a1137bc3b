/** The thread of `cameras-elsewhere.ts`: serves until it is ended. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Served } from './cameras-elsewhere.ts'
import { simulateCamera } from './cameras-simulated.ts'

const { file, count } = workerData as Served
const urls: string[] = []
for (let at = 0; at < count; at++) urls.push((await simulateCamera(file, 'rtsp')).url)
parentPort?.postMessage(urls)
