/** The people whose data the hub keeps. */
import type { Feature } from '../../domain/route.ts'
import { createRegister, type Register, type RegisterDeps } from './register.ts'
import { peopleRoutes } from './routes.ts'

export interface People extends Register {
  feature: Feature
}

export function createPeople(deps: RegisterDeps): People {
  const register = createRegister(deps)
  return {
    ...register,
    feature: {
      name: 'people',
      routes: (http) => peopleRoutes(http, { people: register, clock: deps.clock }),
    },
  }
}
