#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The logistic function.
enum Sigmoid {
    /// 1/(1 + e^−x), without overflow.
    static func value(_ x: Double) -> Double {
        let small = Double.exp(-abs(x))
        return (x >= 0 ? 1 : small) / (1 + small)
    }
}

extension Double {
    /// The natural logarithm.
    static func log(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.log(x)
        #else
            Darwin.log(x)
        #endif
    }

    /// log(1 + x), exact for small x.
    static func log(onePlus x: Double) -> Double { log1p(x) }

    /// eˣ.
    static func exp(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.exp(x)
        #else
            Darwin.exp(x)
        #endif
    }
}
