#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// The C library's functions, so that no other file has to know which library that is.
extension Double {
    /// eˣ.
    @inlinable @inline(__always)
    package static func exp(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.exp(x)
        #else
            Darwin.exp(x)
        #endif
    }

    /// The natural logarithm.
    @inlinable @inline(__always)
    package static func log(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.log(x)
        #else
            Darwin.log(x)
        #endif
    }

    /// log(1 + x), exact for small x.
    @inlinable @inline(__always)
    package static func log(onePlus x: Double) -> Double { log1p(x) }

    /// The cosine.
    static func cosine(_ x: Double) -> Double { cos(x) }

    /// 1 − erf(x), exact far out in the tail.
    @inlinable @inline(__always)
    package static func complementaryErrorFunction(_ x: Double) -> Double { erfc(x) }
}
