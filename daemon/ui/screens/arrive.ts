/** The screens of someone who is not in yet; a device that is never fetches them. */
export { Claim } from './claim.tsx'
export { Join } from './join.tsx'
export { SignIn } from './sign-in.tsx'
