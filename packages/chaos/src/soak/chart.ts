import { init } from 'echarts'
import type { Sample } from './samples.ts'

const WIDTH = 860
const PANEL = 170
const HEADER = 64
const FONT = { fontFamily: 'sans-serif', fontSize: 13, color: '#333' }
const COLORS = ['#1f6feb', '#2da44e', '#bf8700', '#8250df', '#cf222e']

const PANELS: readonly {
  readonly name: string
  readonly logarithmic?: true
  readonly lines: readonly (readonly [keyof Sample, string])[]
}[] = [
  {
    name: 'memory, MiB',
    lines: [
      ['rss', 'of the process'],
      ['heap', 'of objects in use'],
    ],
  },
  { name: 'handles', lines: [['handles', 'open handles']] },
  {
    name: 'unary calls, ms',
    logarithmic: true,
    lines: [
      ['p50', 'median'],
      ['p99', '99 % are faster'],
    ],
  },
]

/** The samples as an SVG, one panel below the other. */
export function soakChart(title: string, subtitle: string, samples: readonly Sample[]): string {
  const height = HEADER + PANELS.length * PANEL + 20
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  let color = 0
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    color: COLORS,
    title: {
      text: title,
      subtext: subtitle,
      left: 8,
      textStyle: { ...FONT, fontSize: 15 },
      subtextStyle: FONT,
    },
    grid: PANELS.map((_, i) => ({ left: 56, right: 160, top: HEADER + 30 + i * PANEL, height: PANEL - 62 })),
    xAxis: PANELS.map((_, i) => ({
      type: 'value',
      gridIndex: i,
      // No part of a minute at the end.
      max: Math.max(1, Math.round((samples.at(-1)?.at ?? 0) / 60)) * 60,
      interval: 60,
      axisLabel: { ...FONT, formatter: (s: number) => `${s / 60} min` },
      splitLine: { show: false },
    })),
    yAxis: PANELS.map(({ name, logarithmic }, i) => ({
      type: logarithmic === true ? ('log' as const) : ('value' as const),
      name,
      nameTextStyle: { ...FONT, align: 'left' },
      gridIndex: i,
      min: logarithmic === true ? 1 : 0,
      splitNumber: 3,
      axisLabel: FONT,
      splitLine: { lineStyle: { color: '#eee' } },
    })),
    series: PANELS.flatMap(({ lines }, i) =>
      lines.map(([key, name]) => ({
        type: 'line' as const,
        name,
        xAxisIndex: i,
        yAxisIndex: i,
        showSymbol: false,
        lineStyle: { width: 1.5 },
        itemStyle: { color: COLORS[color++ % COLORS.length] as string },
        endLabel: { show: true, formatter: '{a}', ...FONT },
        labelLayout: { moveOverlap: 'shiftY' as const },
        data: samples.map((sample) => [sample.at, Number(sample[key].toFixed(2))]),
      })),
    ),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  // For those who do not see it.
  return `${svg.replace('>', `><title>${title}</title>`)}\n`
}
