import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { registerCalibrate } from '../../daemon/cli/calibrate.ts'
import type { Shell } from '../../daemon/cli/shell.ts'

function setup() {
  const asked: { method: string; path: string; body: unknown }[] = []
  const [out, err]: [string[], string[]] = [[], []]
  const point = { error_px: 1.5, error_m: 0.1, used: true }
  const shell: Shell = {
    dataDir: () => '',
    control: () => ({
      send: () => Promise.reject(new Error('not asked')),
      async call(method, path, body) {
        asked.push({ method, path, body })
        if (method === 'DELETE') return {}
        return {
          camera_id: 'yard',
          reprojection_error_px: 1.5,
          reprojection_error_m: 0.1,
          moved_at: null,
          points: [point],
        }
      },
    }),
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    stdin: async () => '',
    confirm: async () => true,
    exit: (code) => void err.push(`exit ${code}`),
  }
  const run = async (...args: string[]) => {
    const program = new Command().exitOverride()
    registerCalibrate(program, shell)
    await program.parseAsync(['calibrate', ...args], { from: 'user' })
  }
  return { run, asked, out, err }
}

test('points given on the command line are sent with the sizes they are measured in, and their errors shown', async () => {
  const { run, asked, out } = setup()
  await run('yard', '--point', '60,690=0,0', '1230,680.5=40,0', '--size', '1280x720', '--pitch', '40x20')
  assert.deepEqual(asked, [
    {
      method: 'PUT',
      path: '/cameras/yard/calibration',
      body: {
        points: [
          { pixel: { x: 60, y: 690 }, metres: { x: 0, y: 0 } },
          { pixel: { x: 1230, y: 680.5 }, metres: { x: 40, y: 0 } },
        ],
        ...{ width: 1280, height: 720, pitch: { length: 40, width: 20 } },
      },
    },
  ])
  assert.match(out.join(), /off by 1.5 px, 0.1 m/)
})

test('without points it shows, dismisses or removes, and a point that is none is told', async () => {
  const { run, asked, err } = setup()
  await run('yard')
  await run('yard', '--dismiss')
  await run('yard', '--remove')
  await run('yard', '--point', 'left corner', '--size', '1280x720')
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['GET', 'POST', 'DELETE'],
  )
  assert.match(err.join(), /640,512=52.5,0.*exit 1/)
})
