/// Curves of one variable that are given by points on their way.
package enum CurvesThroughPoints {
    /// The value at x of straight lines between points, and of the outermost value beyond them; NaN stays.
    ///
    /// - Parameters:
    ///   - points: one at least, ascending.
    ///   - values: as many.
    @inlinable
    package static func straight<Numbers: RandomAccessCollection<Double>>(
        _ x: Double, _ points: Numbers, _ values: Numbers
    ) -> Double where Numbers.Index == Int {
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

    /// Nonlinear column number `column` of a restricted cubic spline at x (Harrell 2015, Regression Modeling Strategies, 2.4.5).
    ///
    /// - Parameter knots: three at least, ascending, which have two columns fewer than there are of them.
    @inlinable @inline(__always)
    package static func restrictedCubic<Numbers: RandomAccessCollection<Double>>(
        _ x: Double, _ knots: Numbers, column: Int
    ) -> Double where Numbers.Index == Int {
        func cube(_ knot: Double) -> Double {
            let distance = max(x - knot, 0)
            return distance * distance * distance
        }
        let (inner, outer) = (knots[knots.count - 2], knots[knots.count - 1])
        let range = outer - knots[0]
        let bend =
            cube(knots[column]) - cube(inner) * (outer - knots[column]) / (outer - inner)
            + cube(outer) * (inner - knots[column]) / (outer - inner)
        return bend / (range * range)
    }
}
