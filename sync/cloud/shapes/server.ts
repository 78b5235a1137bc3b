/** The built-in shape server: Electric's protocol from Postgres' own logical replication, for who does not want to run Electric. */
import Fastify, { type FastifyInstance } from 'fastify'
import { type ShapeRoutesDeps, shapeRoutes } from './routes.ts'
import { createShapes, type Shapes, type ShapesDeps } from './shapes.ts'

export interface ShapeServer {
  http: FastifyInstance
  shapes: Shapes
  /** Ends streams and waiting polls, drops the slot. */
  close(): Promise<void>
}

export type ShapeServerDeps = ShapesDeps & Omit<ShapeRoutesDeps, 'shapes'>

/** Follows the log and answers; listens nowhere yet. Rejects when another server has the slot. */
export async function createShapeServer(deps: ShapeServerDeps): Promise<ShapeServer> {
  const shapes = createShapes(deps)
  await shapes.start()
  const http = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1024 * 1024 })
  await http.register(shapeRoutes({ ...deps, shapes }))
  return {
    http,
    shapes,
    async close() {
      await http.close()
      await shapes.stop()
    },
  }
}
