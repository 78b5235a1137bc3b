/** Every command but `start`, which goes without them: what they load would stay in the hub's memory for good. */
import type { Command } from 'commander'
import type { Clock } from '../kernel/clock.ts'
import { registerAudit } from './audit.ts'
import { registerBackup } from './backup.ts'
import { registerCalibrate } from './calibrate.ts'
import { registerCamera } from './camera.ts'
import { registerCloud } from './cloud.ts'
import { registerCompute } from './compute/compute.ts'
import { registerDoctor } from './doctor.ts'
import { registerHousehold } from './household.ts'
import { registerImport } from './import.ts'
import { registerModels } from './models.ts'
import { registerOwnership } from './ownership.ts'
import { registerPair } from './pair.ts'
import { registerPrivacy } from './privacy.ts'
import { registerSample } from './sample.ts'
import type { Shell } from './shell.ts'
import { registerSimulate } from './simulate.ts'
import { registerStatus } from './status.ts'

export interface CommandDeps {
  shell: Shell
  clock: Clock
  sleep: (ms: number) => Promise<void>
  fetch: typeof globalThis.fetch
  /** Makes a device for the simulator. */
  provision: NonNullable<Parameters<typeof registerSimulate>[1]['provision']>
  /** Aborts when the person stops the command. */
  interruption: () => AbortSignal
  /** Resolves with the signal that ends a service. */
  untilStopped: () => Promise<string>
  die: () => void
  /** Installed, not built to be developed or tested: it ends nowhere on purpose. */
  isRelease: boolean
  /** Folder of the runtime of the models, as it is set. */
  modelRuntime: () => string
}

/** Adds the commands to `program`. */
export function registerCommands(program: Command, deps: CommandDeps): void {
  const { shell, clock, sleep, interruption, untilStopped, die } = deps
  const { now } = clock
  registerStatus(program, shell)
  registerOwnership(program, shell)
  registerPair(program, shell, sleep)
  registerHousehold(program, shell)
  registerCamera(program, shell)
  registerCalibrate(program, shell)
  registerSample(program, { shell, now })
  registerImport(program, { shell, sleep, interruption })
  registerAudit(program, shell)
  registerBackup(program, { shell, now, sleep })
  registerPrivacy(program, { shell, sleep })
  registerDoctor(program, shell, deps.modelRuntime)
  registerSimulate(program, { shell, clock, provision: deps.provision })
  registerCloud(program, { shell, clock, untilStopped, die, isRelease: deps.isRelease })
  registerCompute(program)
  registerModels(program, { shell, clock, fetch: deps.fetch })
}
