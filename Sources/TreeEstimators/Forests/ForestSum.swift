/// The sums of some rows, in lanes: their number, the Hessian, then one gradient or one a class.
///
/// The score of rows that get one value is Σ_k G_k² / H: what the weighted squared error (or the Gini impurity,
/// with the classes' weights as gradients) falls by when they get their best value. Sums are taken in a fixed order
/// by one thread, so that they are the same on every run.
protocol ForestSum: BitwiseCopyable, Sendable {
    /// How many gradients there is room for.
    static var gradientCount: Int { get }
    static var none: Self { get }
    static func + (left: Self, right: Self) -> Self
    static func - (left: Self, right: Self) -> Self
    /// Adds a row to the sums at `cell`.
    static func add(_ row: SIMD2<Double>, to cell: UnsafeMutablePointer<Self>)
    /// Whether two rows would get the same value.
    static func isSameTarget(_ left: SIMD2<Double>, _ right: SIMD2<Double>) -> Bool
    var squares: Double { get }
    subscript(lane: Int) -> Double { get set }
}

extension ForestSum {
    @inline(__always) var count: Double { self[0] }
    @inline(__always) var hessian: Double { self[1] }
    @inline(__always) func gradient(_ index: Int) -> Double { self[2 + index] }

    /// Σ_k G_k² / H.
    @inline(__always) var score: Double {
        let hessian = hessian
        return hessian > 0 ? squares / hessian : 0
    }
}

/// One gradient: rows are (gradient, Hessian). Regression, the residual loss and two classes.
extension SIMD4: ForestSum where Scalar == Double {
    static var gradientCount: Int { 1 }
    static var none: Self { .zero }

    @inline(__always)
    static func add(_ row: SIMD2<Double>, to cell: UnsafeMutablePointer<Self>) {
        cell.pointee += SIMD4(1, row.y, row.x, 0)
    }

    @inline(__always)
    static func isSameTarget(_ left: SIMD2<Double>, _ right: SIMD2<Double>) -> Bool {
        left.x * right.y == right.x * left.y
    }

    @inline(__always) var squares: Double { z * z }
}

/// A gradient a class: rows are (class, weight).
protocol ClassSum: ForestSum, SIMD where Scalar == Double {}

extension ClassSum {
    static var gradientCount: Int { scalarCount - 2 }
    static var none: Self { Self() }

    @inline(__always)
    static func add(_ row: SIMD2<Double>, to cell: UnsafeMutablePointer<Self>) {
        cell.withMemoryRebound(to: Double.self, capacity: scalarCount) { lanes in
            lanes[0] += 1
            lanes[1] += row.y
            lanes[2 + Int(row.x)] += row.y
        }
    }

    @inline(__always)
    static func isSameTarget(_ left: SIMD2<Double>, _ right: SIMD2<Double>) -> Bool { left.x == right.x }
}

extension SIMD8: ClassSum, ForestSum where Scalar == Double {
    @inline(__always) var squares: Double {
        var gradients = self
        gradients[0] = 0
        gradients[1] = 0
        return (gradients * gradients).sum()
    }
}

extension SIMD16: ClassSum, ForestSum where Scalar == Double {
    @inline(__always) var squares: Double {
        var gradients = self
        gradients[0] = 0
        gradients[1] = 0
        return (gradients * gradients).sum()
    }
}

extension SIMD64: ClassSum, ForestSum where Scalar == Double {
    @inline(__always) var squares: Double {
        var gradients = self
        gradients[0] = 0
        gradients[1] = 0
        return (gradients * gradients).sum()
    }
}
