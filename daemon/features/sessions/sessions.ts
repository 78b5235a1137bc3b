/** Sessions: what players did together, with how hard it was, files and the way to look back. */
import type { Actor } from '../../domain/access.ts'
import type { Feature } from '../../domain/route.ts'
import { maySeeSession, seesWholeSession } from '../../domain/session.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import { createFiles, type FileLimits, type Files } from './files.ts'
import type { SessionParts } from './parts.ts'
import { createRegister, type Register } from './register.ts'
import { sessionRoutes } from './routes.ts'
import { fileRoutes } from './routes-files.ts'
import { reviewRoutes } from './routes-review.ts'
import { tagRoutes } from './routes-tags.ts'

export interface SessionsDeps {
  store: Store
  now: () => number
  newId: () => string
  log: Log
  /** Where files lie; made when the first one comes. */
  folder: string
  groupExists: (groupId: string) => boolean
  playersOf: (groupId: string) => readonly string[]
  limits?: Partial<FileLimits>
}

export interface Sessions {
  feature: Feature
  register: Register
  files: Files
  /** Whether this actor may hear of everything in this session. */
  seesWhole(actor: Actor, sessionId: string): boolean
  maySee(actor: Actor, sessionId: string): boolean
}

export function createSessions({ store, now, log, ...deps }: SessionsDeps): Sessions {
  const register = createRegister({ store, now })
  const files = createFiles({ store, folder: deps.folder, ...(deps.limits && { limits: deps.limits }) })
  const parts: SessionParts = { store, now, register, files, ...deps }
  return {
    register,
    files,
    seesWhole(actor, sessionId) {
      const session = register.get(sessionId)
      return session !== null && seesWholeSession(actor, session, now())
    },
    maySee(actor, sessionId) {
      const session = register.get(sessionId)
      return session !== null && maySeeSession(actor, session, now())
    },
    feature: {
      name: 'sessions',
      routes(http) {
        sessionRoutes(http, parts)
        fileRoutes(http, parts)
        reviewRoutes(http, parts)
        tagRoutes(http, parts)
      },
      async start() {
        await files
          .sweep()
          .catch((cause: unknown) => log.warn({ reason: messageOf(cause) }, 'old files could not be swept'))
      },
    },
  }
}
