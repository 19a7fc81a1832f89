import CausalAnalysis

/// Draws charts as SVG: no script, no font to fetch, colours from the page's style so that light, dark and print all suit.
package enum ChartDrawing {
    /// How wide a chart is drawn, in units of which a text is 12 high: pages show the one that has room.
    package enum Width: Double, CaseIterable {
        case wide = 680
        /// For a phone.
        case narrow = 340
    }

    /// Colours that the style has for series; further ones begin again.
    static let colours = 6

    /// The chart as an SVG element, with its texts for those who cannot see it.
    package static func svg(_ chart: Chart, _ width: Width = .wide) -> String {
        chart.categories.isEmpty ? NumericChart(chart, width).svg : CategoryChart(chart, width).svg
    }

    /// The frame of every chart: the element with its description.
    static func frame(_ chart: Chart, _ width: Width, height: Double, _ body: String) -> String {
        let title = HTMLText.escaped(chart.title)
        return """
            <svg class="chart \(width)" viewBox="0 0 \(HTMLText.place(width.rawValue)) \(HTMLText.place(height))" role="img" \
            aria-label="\(title)" preserveAspectRatio="xMidYMid meet">\(body)</svg>
            """
    }

    static func text(
        _ text: String, x: Double, y: Double, _ anchor: String = "start", class name: String = "tick",
        rotated: Bool = false
    ) -> String {
        let turn = rotated ? " transform=\"rotate(-90 \(HTMLText.place(x)) \(HTMLText.place(y)))\"" : ""
        return """
            <text class="\(name)" x="\(HTMLText.place(x))" y="\(HTMLText.place(y))" text-anchor="\(anchor)"\(turn)>\
            \(HTMLText.escaped(text))</text>
            """
    }

    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String) -> String {
        """
        <line class="\(name)" x1="\(HTMLText.place(x1))" y1="\(HTMLText.place(y1))" x2="\(HTMLText.place(x2))" \
        y2="\(HTMLText.place(y2))"/>
        """
    }

    static func path(_ points: [(Double, Double)], class name: String, isClosed: Bool = false) -> String {
        guard !points.isEmpty else { return "" }
        let steps = points.map { "\(HTMLText.place($0.0)) \(HTMLText.place($0.1))" }
        return "<path class=\"\(name)\" d=\"M\(steps.joined(separator: "L"))\(isClosed ? "Z" : "")\"/>"
    }

    static func dot(_ x: Double, _ y: Double, class name: String, _ title: String) -> String {
        """
        <circle class="\(name)" cx="\(HTMLText.place(x))" cy="\(HTMLText.place(y))" r="3.5"><title>\
        \(HTMLText.escaped(title))</title></circle>
        """
    }

    /// The names of the series with their colours, in lines as long as the page is wide; empty for a single one.
    static func legend(_ chart: Chart, x: Double, y: Double, _ width: Width) -> (svg: String, height: Double)
    {
        guard chart.series.count > 1 else { return ("", 0) }
        var svg = ""
        var at = x
        var line = 0.0
        for (index, series) in chart.series.enumerated() {
            let size = 26 + Double(series.name.count) * 6.6
            if at > x, at + size > width.rawValue - 8 {
                at = x
                line += 18
            }
            svg +=
                "<rect class=\"fill s\(index % colours)\" x=\"\(HTMLText.place(at))\" y=\"\(HTMLText.place(y + line - 9))\" width=\"12\" height=\"10\" rx=\"2\"/>"
            svg += text(series.name, x: at + 17, y: y + line, class: "legend")
            at += size
        }
        return (svg, line + 20)
    }

    /// A number as a tip shows it.
    static func number(_ value: Double, isShare: Bool) -> String {
        isShare
            ? NumberText.fixed(value * 100, decimals: 1) + " %"
            : NumberText.fixed(value, decimals: NumberText.decimals(for: [value]))
    }
}

/// A chart whose x-axis is one of numbers.
private struct NumericChart {
    let chart: Chart
    private let width: ChartDrawing.Width
    private let right = 22.0
    private let bottom = 52.0
    private var height: Double { width == .wide ? 340 : 260 }
    private var left: Double { width == .wide ? 74 : 60 }
    private var end: Double { width.rawValue - right }

    init(_ chart: Chart, _ width: ChartDrawing.Width) {
        self.chart = chart
        self.width = width
    }

    var svg: String {
        let legend = ChartDrawing.legend(chart, x: left, y: 14, width)
        let top = 12 + legend.height
        let hasBars = chart.series.contains { $0.mark == .bars }
        let values = chart.series.flatMap { $0.y + $0.lower + $0.upper } + chart.references.map(\.value)
        let barWidth = hasBars ? narrowestGap : 0
        let places = chart.series.flatMap { series in
            series.x.flatMap { [$0 - barWidth / 2, $0 + barWidth / 2] }
        }
        let x = AxisScale(
            places, from: left, to: end, count: width == .wide ? 6 : 4, isShare: chart.x.isShare,
            isTight: true)
        let y = AxisScale(
            hasBars ? values + [0] : values, from: height - bottom, to: top, count: 5,
            isShare: chart.y.isShare)
        var body = legend.svg
        for (tick, label) in zip(y.ticks, y.labels) {
            let at = y.place(tick)
            body += ChartDrawing.line(
                left, at, end, at, class: tick == 0 ? "zero" : "grid")
            body += ChartDrawing.text(label, x: left - 8, y: at + 4, "end")
        }
        for (tick, label) in zip(x.ticks, x.labels) {
            body += ChartDrawing.text(label, x: x.place(tick), y: height - bottom + 18, "middle")
        }
        body += ChartDrawing.text(
            chart.x.title, x: (left + end) / 2, y: height - 10, "middle", class: "axis"
        )
        body += ChartDrawing.text(
            chart.y.title, x: 16, y: (top + height - bottom) / 2, "middle", class: "axis", rotated: true)
        for (index, series) in chart.series.enumerated() {
            body += draw(series, index, x, y, barWidth: barWidth)
        }
        for reference in chart.references where y.holds(reference.value) {
            let at = y.place(reference.value)
            body += ChartDrawing.line(left, at, end, at, class: "reference")
            body += ChartDrawing.text(
                reference.name, x: end - 4, y: at - 5, "end", class: "note")
        }
        return ChartDrawing.frame(chart, width, height: height, body)
    }

    /// The least distance of two bars.
    private var narrowestGap: Double {
        let places = Set(chart.series.filter { $0.mark == .bars }.flatMap(\.x)).sorted()
        let gaps = zip(places, places.dropFirst()).map { $1 - $0 }
        return gaps.min() ?? 1
    }

    private func draw(
        _ series: Chart.Series, _ index: Int, _ x: AxisScale, _ y: AxisScale, barWidth: Double
    ) -> String {
        let colour = "s\(index % ChartDrawing.colours)"
        let kept = series.x.indices.filter {
            $0 < series.y.count && series.x[$0].isFinite && series.y[$0].isFinite
        }
        let points = kept.map { (x.place(series.x[$0]), y.place(series.y[$0])) }
        let bounded = kept.filter {
            $0 < series.lower.count && $0 < series.upper.count && series.lower[$0].isFinite
                && series.upper[$0].isFinite
        }
        switch series.mark {
        case .line, .step:
            var svg = ""
            if !bounded.isEmpty {
                let upper = bounded.map { (x.place(series.x[$0]), y.place(series.upper[$0])) }
                let lower = bounded.reversed().map { (x.place(series.x[$0]), y.place(series.lower[$0])) }
                svg += ChartDrawing.path(upper + lower, class: "band \(colour)", isClosed: true)
            }
            var corners: [(Double, Double)] = []
            for point in points {
                if series.mark == .step, let last = corners.last { corners.append((point.0, last.1)) }
                corners.append(point)
            }
            return svg + ChartDrawing.path(corners, class: "line \(colour)")
        case .strands:
            var strands: [[(Double, Double)]] = [[]]
            for row in series.x.indices where row < series.y.count {
                if series.x[row].isFinite, series.y[row].isFinite {
                    strands[strands.count - 1].append((x.place(series.x[row]), y.place(series.y[row])))
                } else {
                    strands.append([])
                }
            }
            return strands.map { ChartDrawing.path($0, class: "strand \(colour)") }.joined()
        case .points:
            return kept.map { row in
                let at = (x.place(series.x[row]), y.place(series.y[row]))
                var svg = ""
                if bounded.contains(row) {
                    svg += ChartDrawing.line(
                        at.0, y.place(series.lower[row]), at.0, y.place(series.upper[row]),
                        class: "whisker \(colour)")
                }
                return svg + ChartDrawing.dot(at.0, at.1, class: "fill \(colour)", tip(series, row))
            }.joined()
        case .bars:
            let count = Double(chart.series.count { $0.mark == .bars })
            let order = Double(chart.series[..<index].count { $0.mark == .bars })
            let base = y.place(y.base)
            return kept.map { row in
                let start = x.place(series.x[row] - barWidth / 2)
                let whole = x.place(series.x[row] + barWidth / 2) - start
                let size = max(whole / count - 1, 0.5)
                let top = min(base, y.place(series.y[row]))
                return """
                    <rect class="fill \(colour)" x="\(HTMLText.place(start + order * whole / count + 0.5))" \
                    y="\(HTMLText.place(top))" width="\(HTMLText.place(size))" \
                    height="\(HTMLText.place(abs(base - y.place(series.y[row]))))"><title>\
                    \(HTMLText.escaped(tip(series, row)))</title></rect>
                    """
            }.joined()
        }
    }

    private func tip(_ series: Chart.Series, _ row: Int) -> String {
        let name = series.name.isEmpty ? "" : series.name + ": "
        return name + ChartDrawing.number(series.x[row], isShare: chart.x.isShare) + ", "
            + ChartDrawing.number(series.y[row], isShare: chart.y.isShare)
    }
}

/// A chart of named things, one below the other, with values to the right.
private struct CategoryChart {
    let chart: Chart
    private let width: ChartDrawing.Width
    private let lineHeight = 26.0
    private let right = 20.0

    init(_ chart: Chart, _ width: ChartDrawing.Width) {
        self.chart = chart
        self.width = width
    }

    var svg: String {
        let longest = chart.categories.map(\.count).max() ?? 0
        let left = min(max(Double(longest) * 6.8 + 16, 60), Double(mostLetters) * 6.8 + 16)
        // The names of series begin at the left edge where there is little room.
        let legend = ChartDrawing.legend(chart, x: width == .wide ? left : 4, y: 14, width)
        let top = 12 + legend.height
        let end = top + lineHeight * Double(chart.categories.count)
        let height = end + 46
        let hasBars = chart.series.contains { $0.mark == .bars }
        var values = chart.series.flatMap { $0.y + $0.lower + $0.upper } + chart.references.map(\.value)
        if hasBars { values.append(0) }
        let scale = AxisScale(
            values, from: left, to: width.rawValue - right, count: width == .wide ? 6 : 3,
            isShare: chart.y.isShare)
        var body = legend.svg
        for (tick, label) in zip(scale.ticks, scale.labels) {
            let at = scale.place(tick)
            body += ChartDrawing.line(at, top, at, end, class: tick == 0 ? "zero" : "grid")
            body += ChartDrawing.text(label, x: at, y: end + 17, "middle")
        }
        for (index, name) in chart.categories.enumerated() {
            body += ChartDrawing.text(
                shortened(name), x: left - 10, y: top + lineHeight * (Double(index) + 0.5) + 4, "end",
                class: "label")
        }
        for reference in chart.references where scale.holds(reference.value) {
            let at = scale.place(reference.value)
            body += ChartDrawing.line(at, top, at, end, class: "reference")
        }
        body += ChartDrawing.text(
            chart.y.title,
            // Beside long names there may be no room for it under the axis alone.
            x: width == .wide ? (left + width.rawValue - right) / 2 : width.rawValue / 2, y: height - 8,
            "middle", class: "axis")
        for (index, series) in chart.series.enumerated() { body += draw(series, index, scale, top: top) }
        return ChartDrawing.frame(chart, width, height: height, body)
    }

    /// How many letters of a name there is room for.
    private var mostLetters: Int { width == .wide ? 38 : 18 }

    private func shortened(_ name: String) -> String {
        name.count > mostLetters ? name.prefix(mostLetters - 1) + "…" : name
    }

    private func draw(_ series: Chart.Series, _ index: Int, _ scale: AxisScale, top: Double) -> String {
        let colour = "s\(index % ChartDrawing.colours)"
        let count = Double(chart.series.count)
        // Series of one category stand a little apart, so that none hides another.
        let shift = (Double(index) - (count - 1) / 2) * min(lineHeight / (count + 1), 7)
        var svg = ""
        for (row, place) in series.x.enumerated() where row < series.y.count {
            let value = series.y[row]
            guard value.isFinite, place >= 0, Int(place) < chart.categories.count else { continue }
            let y = top + lineHeight * (place + 0.5) + shift
            let tip =
                "\(chart.categories[Int(place)]): "
                + ChartDrawing.number(value, isShare: chart.y.isShare)
            if series.mark == .bars {
                let start = min(scale.place(scale.base), scale.place(value))
                let size = abs(scale.place(value) - scale.place(scale.base))
                let thick = max(16 / count, 3)
                svg += """
                    <rect class="fill \(colour)" x="\(HTMLText.place(start))" y="\(HTMLText.place(y - thick / 2))" \
                    width="\(HTMLText.place(size))" height="\(HTMLText.place(thick))"><title>\
                    \(HTMLText.escaped(tip))</title></rect>
                    """
                continue
            }
            if row < series.lower.count, row < series.upper.count, series.lower[row].isFinite,
                series.upper[row].isFinite
            {
                svg += ChartDrawing.line(
                    scale.place(series.lower[row]), y, scale.place(series.upper[row]), y,
                    class: "whisker \(colour)")
            }
            svg += ChartDrawing.dot(scale.place(value), y, class: "fill \(colour)", tip)
        }
        return svg
    }
}
