// The import rule of ARCHITECTURE.md. Each row: files of a room may import only these rooms (and packages).
const ROOMS = {
  'daemon/kernel': [],
  'daemon/domain': ['daemon/kernel'],
  'daemon/store': ['daemon/domain', 'daemon/kernel', 'firmware-bridge', 'models'],
  'daemon/broker': ['daemon/domain', 'daemon/kernel', 'firmware-bridge', 'models'],
  'daemon/media': ['daemon/domain', 'daemon/kernel', 'firmware-bridge', 'models'],
  'daemon/live': ['daemon/domain', 'daemon/kernel'],
  'daemon/http': ['daemon/domain', 'daemon/kernel'],
  'daemon/features': [
    'daemon/domain',
    'daemon/kernel',
    'daemon/store',
    'daemon/live',
    'firmware-bridge',
    'models',
  ],
  'daemon/cli': [
    'daemon/domain',
    'daemon/kernel',
    'daemon/store',
    'daemon/media',
    'firmware-bridge',
    'models',
    'sync',
    'config',
  ],
  'daemon/ui': ['daemon/domain'],
  config: [],
  'firmware-bridge': [],
  models: [],
  sync: [],
}

const own = '^(config|daemon|firmware-bridge|models|sync|scripts|test)/'

const rooms = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `${room.replaceAll('/', '-')}-imports`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: own, pathNot: [room, ...allowed].map((path) => `^${path}/`) },
}))

export default {
  forbidden: [
    ...rooms,
    {
      name: 'features-are-islands',
      severity: 'error',
      from: { path: '^daemon/features/([^/]+)/' },
      to: { path: '^daemon/features/', pathNot: '^daemon/features/$1/' },
    },
    {
      name: 'app-imports',
      comment: 'The composition root knows every part, but not the tests, the command line or the entry.',
      severity: 'error',
      from: { path: ['^daemon/app\\.ts$', '^daemon/composition/', '^daemon/house\\.ts$'] },
      to: { path: ['^test/', '^scripts/', '^daemon/cli/', '^daemon/ui/', '^daemon/main\\.ts$'] },
    },
    {
      name: 'main-imports',
      severity: 'error',
      from: { path: '^daemon/main\\.ts$' },
      to: { path: own, pathNot: ['^daemon/app\\.ts$', '^daemon/cli/', '^daemon/kernel/', '^config/'] },
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    {
      name: 'only-main-and-tests-import-app',
      severity: 'error',
      from: {
        pathNot: ['^test/', '^scripts/', '^daemon/main\\.ts$', '^daemon/app\\.ts$', '^daemon/composition/'],
      },
      to: { path: ['^daemon/app\\.ts$', '^daemon/composition/'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-dev-packages',
      severity: 'error',
      from: { path: '^(config|daemon|firmware-bridge|models|sync)/', pathNot: '^daemon/ui/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '\\.mjs$'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}
