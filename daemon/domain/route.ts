import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { Action, Actor, DataClass, Role } from './access.ts'

/** Where a route finds the person it is about; `self`: the signed-in person or the device's wearer when the field is absent. */
export interface PersonFrom {
  in: 'params' | 'query' | 'body'
  name: string
  orSelf?: boolean
}

/**
 * Who may use a route. A route without one does not register.
 * `open` needs no credential; with `beforeClaim` it also answers on a hub nobody owns yet. `local` exists only on the control
 * socket; on the network there is no such path.
 * `local` exists only on the control socket: anywhere else it answers 404.
 * `person` is decided by `can()` before the handler runs; class `by-metric` is for handlers that ask `authorize` themselves.
 */
export type Policy =
  | { access: 'open'; beforeClaim?: boolean }
  | { access: 'local' }
  | { access: 'signed-in'; roles: readonly Role[] }
  | {
      access: 'person'
      roles: readonly Role[]
      person: PersonFrom
      action: Action
      class: DataClass | 'by-metric' | 'any'
    }

/** Fastify as features see it: bodies and answers typed by their TypeBox schemas. */
export type Http = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/**
 * One capability. `routes` are registered under `/api/v1`, `rootRoutes` as they are: protocols of others. Features that hold
 * something open give `stop`.
 */
export interface Feature {
  name: string
  routes?(http: Http): void
  rootRoutes?(http: Http): void
  start?(): Promise<void> | void
  stop?(): Promise<void> | void
}

declare module 'fastify' {
  interface FastifyContextConfig {
    policy?: Policy
    /** False: the body is not ours to shape (OpenAPI, metrics, third-party protocols). */
    envelope?: boolean
    /** Takes a credential in the places where Nightscout's uploaders put it, too. */
    uploader?: boolean
    /** The handler takes as long as the sender needs and gives up on silence itself. */
    slowBody?: boolean
    /** The caller must have given the password within five minutes; a function says for which bodies. */
    proof?: true | ((body: unknown) => boolean)
  }
  interface FastifyRequest {
    actor: Actor
    /** The person that policy resolved; only on routes with access `person`. */
    personId: string
    /** Throws NOT_FOUND (may not see) or FORBIDDEN (sees, may not do this) unless `can()` allows it. */
    authorize(personId: string, action: Action, dataClass: DataClass): void
  }
}
