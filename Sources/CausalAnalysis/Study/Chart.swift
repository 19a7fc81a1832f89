/// A picture of numbers, without any drawing: axes and series. Reports draw it, bindings may draw it their way.
public struct Chart: Sendable, Equatable {
    /// How a series is drawn.
    public enum Mark: String, Sendable {
        /// A line through the points, with a band where there are bounds.
        case line
        /// A line that keeps its value up to the next point.
        case step
        /// Dots, with whiskers where there are bounds.
        case points
        /// Bars from 0.
        case bars
        /// Many thin lines, one behind the other: a value that is not finite ends one.
        case strands
    }

    /// Numbers that belong together.
    public struct Series: Sendable, Equatable {
        /// What the legend calls it.
        public let name: String
        /// How it is drawn.
        public let mark: Mark
        /// Where each point stands; indices into `categories` where the chart has these.
        public let x: [Double]
        /// Its values.
        public let y: [Double]
        /// The lower ends of intervals or of a band; empty where there are none.
        public let lower: [Double]
        /// The upper ends.
        public let upper: [Double]

        /// Creates a series.
        public init(
            _ name: String, _ mark: Mark, x: [Double], y: [Double], lower: [Double] = [], upper: [Double] = []
        ) {
            self.name = name
            self.mark = mark
            self.x = x
            self.y = y
            self.lower = lower
            self.upper = upper
        }
    }

    /// An axis.
    public struct Axis: Sendable, Equatable {
        /// What it shows, with its unit.
        public let title: String
        /// Whether its numbers are shares, shown in percent.
        public let isShare: Bool

        /// Creates an axis.
        public init(_ title: String, isShare: Bool = false) {
            self.title = title
            self.isShare = isShare
        }
    }

    /// A straight line that values are compared with.
    public struct Reference: Sendable, Equatable {
        /// What it means.
        public let name: String
        /// Where it stands on the axis of values.
        public let value: Double

        /// Creates a line.
        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// The name, unique within its result.
    public let name: String
    /// What it shows, as its heading says.
    public let title: String
    /// The axis of positions.
    public let x: Axis
    /// The axis of values.
    public let y: Axis
    /// The series.
    public var series: [Series]
    /// Names in place of the numbers of the x-axis; empty where it is one of numbers. A chart with categories is drawn on its
    /// side: a line of text for each category, values to the right.
    public var categories: [String] = []
    /// Lines to compare with.
    public var references: [Reference] = []

    /// Creates a chart.
    public init(
        _ name: String, _ title: String, x: Axis, y: Axis, series: [Series], categories: [String] = [],
        references: [Reference] = []
    ) {
        self.name = name
        self.title = title
        self.x = x
        self.y = y
        self.series = series
        self.categories = categories
        self.references = references
    }
}
