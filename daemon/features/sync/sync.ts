/** What an owner decides and sees about the cloud: joining, what leaves this house, how far it is. */
import type { Feature } from '../../domain/route.ts'
import type { SyncDeps } from './parts.ts'
import { syncRoutes } from './routes.ts'

export function createSync(deps: SyncDeps): Feature {
  return {
    name: 'sync',
    routes: (http) => syncRoutes(http, deps),
    start: deps.start,
    stop: deps.stop,
  }
}
