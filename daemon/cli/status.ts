import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { answer, rows, type Shell, subcommand, table, text } from './shell.ts'

interface HubFile {
  pid: number
  hubId: string
  httpPort: number
  httpsPort: number
  mqttPort: number
  mqttsPort: number
  caSha256: string
  startedAt: string
}

/** `status`: what runs here, where, and how each part is. */
export function registerStatus(program: Command, shell: Shell): void {
  subcommand(program, 'status', 'what runs here and how each part is').action((options: { json?: boolean }) =>
    answer(
      shell,
      options,
      async () => {
        const parts = await shell.control().call('GET', '/ready')
        const hub = JSON.parse(await readFile(join(shell.dataDir(), 'hub.json'), 'utf8')) as HubFile
        return { ...hub, ready: parts }
      },
      ({ ready, ...hub }) =>
        [
          `Running since ${hub.startedAt}, process ${hub.pid}`,
          `app   https://localhost:${hub.httpsPort}/app/`,
          `trust http://localhost:${hub.httpPort}/welcome`,
          `MQTT  mqtts port ${hub.mqttsPort}, on this box also plain port ${hub.mqttPort}`,
          `overall ${text(ready, 'status')}`,
          table(rows(partsOf(ready)), ['name', 'state', 'detail'], 'no parts reported'),
        ].join('\n'),
    ),
  )
}

function partsOf(ready: unknown): unknown {
  return typeof ready === 'object' && ready !== null && 'parts' in ready ? ready.parts : []
}
