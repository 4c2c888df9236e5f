export { clientTelemetry, serverTelemetry, type TelemetryOptions } from './telemetry.ts'
