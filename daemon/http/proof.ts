/** Dangerous acts ask for the password again, so that a phone left on the table cannot do them. */
import type { Http } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'

/** After the route's policy, so that whoever may not do it at all hears that instead. */
export function askForProof(http: Http, isProven: (signInId: string) => boolean): void {
  http.addHook('preHandler', async (request) => {
    const { proof } = request.routeOptions.config
    const { actor } = request
    if (proof === undefined || actor.kind === 'local') return
    if (typeof proof === 'function' && !proof(request.body)) return
    if (actor.kind === 'user' && isProven(actor.signInId)) return
    throw new HubError(
      'STEP_UP_REQUIRED',
      'This needs your password again. Send it to /auth/step-up, then repeat this within five minutes.',
    )
  })
}
