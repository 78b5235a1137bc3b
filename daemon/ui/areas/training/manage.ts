/** Setting cameras up and looking after them: one piece, fetched when the first of these screens is opened. */
export { AddCamera } from './add/add-camera.tsx'
export { EditCamera } from './edit-camera.tsx'
export { Models } from './models.tsx'
