export type DeviceType = 'watch' | 'phone' | 'camera' | 'gateway' | 'wall' | 'integration' | 'hub'

/** What the hub knows of a device whose key was right. */
export interface DeviceIdentity {
  deviceId: string
  type: DeviceType
  /** Topic prefixes that a gateway may publish under beside its own; empty for all others. */
  prefixes: readonly string[]
  /** IANA zone of the device's wall clock. */
  zone: string
  /** What a bare `hrv` of this device is known to be. */
  hrvKind?: 'hrv_rmssd' | 'hrv_sdnn'
}
