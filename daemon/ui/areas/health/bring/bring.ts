export { Imports } from './imports.tsx'
export { Whoop } from './whoop.tsx'
