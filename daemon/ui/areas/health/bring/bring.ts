export { Imports } from './imports.tsx'
export { Whoop, WhoopBack } from './whoop.tsx'
