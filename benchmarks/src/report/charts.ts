import { init } from 'echarts'
import { describeConditions } from '../network/conditions.ts'
import { isLocal } from '../plan.ts'
import { isMeasured, type Measured, type Result } from '../run/result.ts'
import { number } from './format.ts'
import { titleOf } from './tables.ts'

const WIDTH = 860
const ROW = 30
const HEIGHT_AROUND = 70
const FONT = { fontFamily: 'sans-serif', fontSize: 13, color: '#333' }
const OURS = '#1f6feb'
const BASELINE = '#57606a'
const OTHERS = '#b6bec8'
const SERIES = ['#57606a', '#1f6feb', '#2da44e', '#bf8700', '#8250df', '#cf222e']

/** A drawing, and the name of its file. */
export interface Chart {
  readonly name: string
  readonly title: string
  readonly svg: string
}

/** Bars of one case, the fastest on top. */
export function barChart(name: string, results: readonly Result[]): Chart {
  const bars = results.filter(isMeasured).toSorted((a, b) => a.median - b.median)
  const title = results[0]?.title ?? ''
  const svg = draw(title, bars.length * ROW + HEIGHT_AROUND, {
    title: { text: title, subtext: bars[0]?.unit ?? '', left: 8, textStyle: { ...FONT, fontSize: 15 } },
    grid: { left: 8, right: 90, top: 56, bottom: 8, containLabel: true },
    xAxis: { type: 'value', axisLabel: { show: false }, splitLine: { lineStyle: { color: '#eee' } } },
    yAxis: {
      type: 'category',
      data: bars.map(({ peer }) => titleOf(peer)),
      axisLabel: FONT,
      axisTick: { show: false },
    },
    series: [
      {
        type: 'bar',
        barWidth: '62%',
        label: { show: true, position: 'right', ...FONT },
        data: bars.map((bar) => ({
          value: bar.median,
          itemStyle: { color: colorOf(bar) },
          label: { formatter: number(bar.median) },
        })),
      },
    ],
  })
  return { name, title, svg }
}

/** Groups of bars, one for each of the conditions, on a scale of powers of ten. */
export function conditionsChart(name: string, results: readonly Result[]): Chart {
  const measured = results.filter(isMeasured)
  const peers = [...new Set(measured.map(({ peer }) => peer))]
  const groups = [
    ...new Set(measured.flatMap(({ conditions }) => (conditions ? [describeConditions(conditions)] : []))),
  ]
  const medianOf = (peer: string, group: string): number | string =>
    measured.find((one) => one.peer === peer && one.conditions && describeConditions(one.conditions) === group)
      ?.median ?? '-'
  const title = `${results[0]?.title ?? ''}, ${measured[0]?.unit ?? ''}`
  const svg = draw(title, 360, {
    title: { text: title, left: 8, textStyle: { ...FONT, fontSize: 15 } },
    legend: { top: 30, left: 8, textStyle: FONT },
    grid: { left: 8, right: 16, top: 70, bottom: 8, containLabel: true },
    xAxis: {
      type: 'category',
      data: groups.map((group) => group.replace(', ', '\n')),
      axisLabel: { ...FONT, interval: 0 },
    },
    yAxis: { type: 'log', axisLabel: FONT, splitLine: { lineStyle: { color: '#eee' } } },
    series: peers.map((peer, i) => ({
      type: 'bar' as const,
      name: titleOf(peer),
      itemStyle: { color: SERIES[i % SERIES.length] ?? OTHERS },
      data: groups.map((group) => medianOf(peer, group)),
    })),
  })
  return { name, title, svg }
}

/** The name of a case's chart. */
export function chartName({ workload, peer }: Result): string {
  return isLocal(peer) ? `${workload}-in-process` : workload
}

function colorOf({ peer, baseline }: Measured): string {
  if (peer.startsWith('qrpc')) return OURS
  return peer === baseline ? BASELINE : OTHERS
}

function draw(title: string, height: number, option: object): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  chart.setOption({ animation: false, backgroundColor: '#fff', ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  // For those who do not see it.
  return `${svg.replace('>', `><title>${title}</title>`)}\n`
}
