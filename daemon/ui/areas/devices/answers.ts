/** What the hub answers about devices that its gateways heard. */
export interface FoundDevice {
  key: string
  address: string
  name: string | null
  kind: 'glucose' | 'blood_pressure' | 'scale' | 'watch' | 'thermometer' | 'room' | 'other'
  via: string
  rssi: number | null
  messages: number
  last_seen: string
}
