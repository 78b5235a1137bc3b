import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryData } from './hub-process.ts'
import { Skipped } from './row.ts'

/** Debian's mosquitto on a free port of loopback, keeping nothing: the peer that acknowledges without a disk. */
export interface Mosquitto {
  port: number
  pid: number
  stop(): Promise<void>
}

const PATHS = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto']
const TRIES = 200
const LOOK_EVERY_MS = 25

export async function startMosquitto(): Promise<Mosquitto> {
  const path = PATHS.find((candidate) => existsSync(candidate))
  if (!path) throw new Skipped('mosquitto is missing (Debian: apt-get install mosquitto)')
  const port = await freePort()
  const folder = temporaryData()
  const config = join(folder, 'mosquitto.conf')
  writeFileSync(
    config,
    [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', 'set_tcp_nodelay true'].join(
      '\n',
    ),
  )
  const child = spawn(path, ['-c', config], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  await listening(port)
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return
    await sleep(LOOK_EVERY_MS)
  }
  throw new Error(`mosquitto does not listen on ${port}`)
}
