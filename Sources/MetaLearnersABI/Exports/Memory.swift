import CMetaLearners

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@c @implementation
public func mtlr_string_free(_ text: UnsafeMutablePointer<CChar>?) { free(text) }

@c @implementation
public func mtlr_bytes_free(_ bytes: UnsafeMutablePointer<UInt8>?) { free(bytes) }
