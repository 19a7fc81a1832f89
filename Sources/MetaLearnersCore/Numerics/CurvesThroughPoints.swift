/// Curves of one variable that are given by points on their way.
package enum CurvesThroughPoints {
    /// The value at x of straight lines between points, and of the outermost value beyond them; NaN stays.
    ///
    /// - Parameters:
    ///   - points: one at least, ascending.
    ///   - values: as many.
    package static func straight(
        _ x: Double, _ points: UnsafeBufferPointer<Double>, _ values: UnsafeBufferPointer<Double>
    ) -> Double {
        guard !x.isNaN else { return x }
        if x <= points[0] { return values[0] }
        if x >= points[points.count - 1] { return values[values.count - 1] }
        var low = 0
        var high = points.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if points[middle] <= x { low = middle } else { high = middle }
        }
        let share = (x - points[low]) / (points[high] - points[low])
        return values[low] + share * (values[high] - values[low])
    }
}

/// A nonlinear column of a restricted cubic spline (Harrell 2015, Regression Modeling Strategies, 2.4.5).
///
/// It is made once and asked for each row. Nothing here is generic: across modules a generic function of one row was not specialised, and its
/// reads of an array cost more than all else that a linear model computes.
package struct RestrictedCubic: Sendable {
    @usableFromInline let knot: Double
    @usableFromInline let inner: Double
    @usableFromInline let outer: Double
    @usableFromInline let range: Double

    /// Column number `column` of a spline with `knots`: three at least, ascending, which have two columns fewer than there are of them.
    package init(_ knots: UnsafeBufferPointer<Double>, column: Int) {
        knot = knots[column]
        inner = knots[knots.count - 2]
        outer = knots[knots.count - 1]
        range = outer - knots[0]
    }

    /// The same, of an array.
    package init(_ knots: [Double], column: Int) {
        self = knots.withUnsafeBufferPointer { RestrictedCubic($0, column: column) }
    }

    /// Its value at x, a number.
    @inlinable @inline(__always)
    package func callAsFunction(_ x: Double) -> Double {
        func cube(_ knot: Double) -> Double {
            let distance = max(x - knot, 0)
            return distance * distance * distance
        }
        let bend =
            cube(knot) - cube(inner) * (outer - knot) / (outer - inner)
            + cube(outer) * (inner - knot) / (outer - inner)
        return bend / (range * range)
    }
}
