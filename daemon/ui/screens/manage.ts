/** The screens of setting up and looking after the household: one piece, fetched when the first of them is opened. */
export { AddDevice } from './add-device.tsx'
export { DeviceDetail } from './device.tsx'
export { Devices } from './devices.tsx'
export { FirstChild, FirstWatch } from './first-steps.tsx'
export { About, Account, More } from './more.tsx'
export { Pair } from './pair.tsx'
export { EditPerson, People } from './people.tsx'
export { Sharing } from './sharing.tsx'
