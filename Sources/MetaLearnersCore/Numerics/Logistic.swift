/// The probability of class 1 of two, given the log odds, and what belongs to it.
///
/// All of it is inlined where it is used: these are the innermost lines of loops over rows.
package enum Logistic {
    /// 1/(1 + e^−x): of class 1 at the log odds x, and of class 0 at −x.
    ///
    /// Where e^−x overflows it is 0, as it ought to be.
    @inlinable @inline(__always)
    package static func share(_ x: Double) -> Double { 1 / (1 + Double.exp(-x)) }

    /// The same by e^−|x|, which differs from `share` in the last bit of some negative x.
    ///
    /// The logistic regression computes with it: another last bit there would change the coefficients of models.
    /// For boosting and for predictions of trees `share` is the faster one, and has always been theirs.
    @inlinable @inline(__always)
    package static func shareByMagnitude(_ x: Double) -> Double {
        let small = Double.exp(-abs(x))
        return (x >= 0 ? 1 : small) / (1 + small)
    }

    /// log(1 + eˣ) without overflow: the deviance of a row of class 0 at the log odds x, of class 1 at −x.
    @inlinable @inline(__always)
    package static func softplus(_ x: Double) -> Double {
        max(x, 0) + Double.log(onePlus: Double.exp(-abs(x)))
    }
}

/// The probabilities of several classes, given scores that are their logarithms but for a constant.
package struct Softmax {
    /// The largest score.
    @usableFromInline let largest: Double
    /// Σ e^(score − largest).
    @usableFromInline let total: Double

    /// Sums up the `count` scores at `scores`, one at least.
    @inlinable @inline(__always)
    package init(_ scores: UnsafePointer<Double>, count: Int) {
        var largest = scores[0]
        for index in 1..<max(count, 1) { largest = max(largest, scores[index]) }
        var total = 0.0
        for index in 0..<count { total += Double.exp(scores[index] - largest) }
        self.largest = largest
        self.total = total
    }

    /// The probability of a class with that score.
    @inlinable @inline(__always)
    package func share(_ score: Double) -> Double { Double.exp(score - largest) / total }

    /// log Σ eˢ over the scores; less the score of a class, it is the deviance of a row of that class.
    @inlinable @inline(__always)
    package var logTotal: Double { largest + Double.log(total) }

    /// Replaces the `count` scores at `values` by the probabilities; it takes half as many exponentials as one
    /// `share` after another.
    @inlinable @inline(__always)
    package static func replace(_ values: UnsafeMutablePointer<Double>, count: Int) {
        var largest = values[0]
        for index in 1..<max(count, 1) { largest = max(largest, values[index]) }
        var total = 0.0
        for index in 0..<count {
            values[index] = Double.exp(values[index] - largest)
            total += values[index]
        }
        for index in 0..<count { values[index] /= total }
    }
}
