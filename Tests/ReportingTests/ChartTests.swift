import CausalAnalysis
import Testing

@testable import Reporting

@Suite("Charts")
struct ChartTests {
    private let line = Chart(
        "curve", "Gain by share treated", x: Chart.Axis("share treated", isShare: true),
        y: Chart.Axis("gain"),
        series: [
            Chart.Series(
                "model", .line, x: [0, 0.5, 1], y: [0, 2, 1], lower: [0, 1, 0], upper: [0, 3, 2]),
            Chart.Series("random <b>", .step, x: [0, 1], y: [0, 1]),
        ], references: [Chart.Reference("no gain", 0)])

    @Test("A chart is one SVG element whose marks are all there, with a legend for several series")
    func numbers() {
        let svg = ChartDrawing.svg(line)
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>"))
        #expect(svg.contains("class=\"band s0\"") && svg.contains("class=\"line s0\""))
        #expect(svg.contains("class=\"line s1\"") && !svg.contains("class=\"band s1\""))
        #expect(svg.contains("class=\"reference\"") && svg.contains(">no gain<"))
        #expect(svg.contains(">40 %<") && svg.contains("share treated") && svg.contains("aria-label"))
        #expect(svg.contains("random &lt;b&gt;") && !svg.contains("<b>"))
        #expect(svg.components(separatedBy: "class=\"legend\"").count == 3)
    }

    @Test("Every point stands within the picture, whatever the numbers")
    func places() {
        for scale in [1e-12, 1, 1e9] {
            for shift in [-5.0, 0, 1e6] {
                let y = [1.0, -2, 0.5, .nan].map { $0 * scale + shift }
                let chart = Chart(
                    "c", "c", x: Chart.Axis("x"), y: Chart.Axis("y"),
                    series: [
                        Chart.Series(
                            "a", .points, x: [1, 2, 3, 4], y: y, lower: y.map { $0 - scale },
                            upper: y.map { $0 + scale }),
                        Chart.Series("b", .bars, x: [1, 2, 3, 4], y: y),
                    ])
                let svg = ChartDrawing.svg(chart)
                #expect(!svg.contains("nan") && !svg.contains("inf"))
                for (key, end) in [("cx=\"", 680.0), ("cy=\"", 340)] {
                    for part in svg.components(separatedBy: key).dropFirst() {
                        let place = Double(part.prefix { $0 != "\"" }) ?? -1
                        #expect(place >= 0 && place <= end, "\(scale), \(shift)")
                    }
                }
            }
        }
    }

    @Test("Categories stand one below the other; a chart without numbers is an empty frame")
    func categories() {
        let chart = Chart(
            "balance", "Balance", x: Chart.Axis(""), y: Chart.Axis("difference"),
            series: [
                Chart.Series(
                    "raw", .points, x: [0, 1], y: [0.4, -0.1], lower: [0.3, -0.2], upper: [0.5, 0])
            ],
            categories: ["age", String(repeating: "long ", count: 20)])
        let svg = ChartDrawing.svg(chart)
        #expect(svg.contains(">age<") && svg.contains("…<"))
        // For a phone the names are shorter and the picture is half as wide.
        let narrow = ChartDrawing.svg(chart, .narrow)
        #expect(narrow.contains("viewBox=\"0 0 340 ") && narrow.contains("class=\"chart narrow\""))
        #expect(narrow.contains(">age<") && narrow.utf8.count < svg.utf8.count)
        #expect(
            svg.components(separatedBy: "<circle").count == 3
                && svg.components(separatedBy: "whisker").count == 3)
        let empty = Chart("e", "e", x: Chart.Axis("x"), y: Chart.Axis("y"), series: [])
        #expect(ChartDrawing.svg(empty).hasPrefix("<svg "))
    }

    @Test("Marks are round numbers that hold all values")
    func scales() {
        let scale = AxisScale([0.013, 0.087], from: 0, to: 100, count: 5, isShare: true)
        #expect(scale.labels == ["0 %", "2 %", "4 %", "6 %", "8 %", "10 %"])
        #expect(scale.place(0.05) == 50)
        #expect(AxisScale([1200, 4900], from: 0, to: 1, count: 4, isShare: false).labels.last == "5,000")
        #expect(AxisScale([3, 3], from: 0, to: 1, count: 4, isShare: false).holds(3))
        #expect(!AxisScale([], from: 0, to: 1, count: 4, isShare: false).ticks.isEmpty)
    }
}
