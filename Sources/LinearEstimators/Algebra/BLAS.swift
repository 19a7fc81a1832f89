/// BLAS and LAPACK: OpenBLAS, or Accelerate on Apple's platforms. This file alone knows which.
///
/// Matrices stand by columns; of symmetric ones the upper triangle counts. Sizes, leading dimensions and steps are those
/// of the routine of the same name, as are the pointers that LAPACK takes.
///
/// No fork happens while a routine runs that takes memory of OpenBLAS's own: the child would find its lock held.
import MetaLearnersCore

#if canImport(Accelerate)
    import Accelerate
#else
    import COpenBLAS
#endif

/// Products of matrices and vectors.
enum BLAS {
    /// A matrix as it stands, or its transpose.
    enum Form {
        case plain
        case transposed
    }

    /// On which side of a product the symmetric matrix stands.
    enum Side {
        case left
        case right
    }

    /// Σ x·y.
    @inline(__always)
    static func dot(
        _ n: Int32, _ x: UnsafePointer<Double>, _ xStep: Int32, _ y: UnsafePointer<Double>, _ yStep: Int32
    ) -> Double {
        BLASThreads.check()
        return cblas_ddot(n, x, xStep, y, yStep)
    }

    /// y += α·x.
    @inline(__always)
    static func axpy(
        _ n: Int32, _ alpha: Double, _ x: UnsafePointer<Double>, _ xStep: Int32,
        _ y: UnsafeMutablePointer<Double>, _ yStep: Int32
    ) {
        BLASThreads.check()
        cblas_daxpy(n, alpha, x, xStep, y, yStep)
    }

    /// y = α·A·x + β·y, A of m rows and n columns.
    @inline(__always)
    static func gemv(
        _ form: Form, _ m: Int32, _ n: Int32, _ alpha: Double, _ a: UnsafePointer<Double>, _ aLead: Int32,
        _ x: UnsafePointer<Double>, _ xStep: Int32, _ beta: Double, _ y: UnsafeMutablePointer<Double>,
        _ yStep: Int32
    ) {
        BLASThreads.uninterrupted {
            cblas_dgemv(CblasColMajor, transpose(form), m, n, alpha, a, aLead, x, xStep, beta, y, yStep)
        }
    }

    /// C = α·A·B + β·C, C of m rows and n columns, k the length of the products.
    @inline(__always)
    static func gemm(
        _ aForm: Form, _ bForm: Form, _ m: Int32, _ n: Int32, _ k: Int32, _ alpha: Double,
        _ a: UnsafePointer<Double>, _ aLead: Int32, _ b: UnsafePointer<Double>, _ bLead: Int32,
        _ beta: Double, _ c: UnsafeMutablePointer<Double>, _ cLead: Int32
    ) {
        BLASThreads.uninterrupted {
            cblas_dgemm(
                CblasColMajor, transpose(aForm), transpose(bForm), m, n, k, alpha, a, aLead, b, bLead, beta,
                c,
                cLead)
        }
    }

    /// C = α·A·Aᵀ + β·C (`plain`), or α·Aᵀ·A + β·C, C of order n.
    @inline(__always)
    static func syrk(
        _ form: Form, _ n: Int32, _ k: Int32, _ alpha: Double, _ a: UnsafePointer<Double>, _ aLead: Int32,
        _ beta: Double, _ c: UnsafeMutablePointer<Double>, _ cLead: Int32
    ) {
        BLASThreads.uninterrupted {
            cblas_dsyrk(CblasColMajor, CblasUpper, transpose(form), n, k, alpha, a, aLead, beta, c, cLead)
        }
    }

    /// C = α·A·B + β·C (`left`), or α·B·A + β·C, A symmetric, C of m rows and n columns.
    @inline(__always)
    static func symm(
        _ side: Side, _ m: Int32, _ n: Int32, _ alpha: Double, _ a: UnsafePointer<Double>, _ aLead: Int32,
        _ b: UnsafePointer<Double>, _ bLead: Int32, _ beta: Double, _ c: UnsafeMutablePointer<Double>,
        _ cLead: Int32
    ) {
        BLASThreads.uninterrupted {
            cblas_dsymm(
                CblasColMajor, side == .left ? CblasLeft : CblasRight, CblasUpper, m, n, alpha, a, aLead, b,
                bLead, beta, c, cLead)
        }
    }

    @inline(__always)
    private static func transpose(_ form: Form) -> CBLAS_TRANSPOSE {
        form == .plain ? CblasNoTrans : CblasTrans
    }

    #if canImport(Accelerate)
        /// Accelerate decides for itself, and has no setting to keep.
        static var threads: Int32 { 1 }
        static func setThreads(_ count: Int32) {}
    #else
        /// How many threads products may use: one setting for the process.
        static var threads: Int32 { openblas_get_num_threads() }
        /// OpenBLAS starts threads here, under a lock that a fork must not leave held.
        static func setThreads(_ count: Int32) {
            ProcessFork.uninterrupted { openblas_set_num_threads(count) }
        }
    #endif
}

/// Factorisations.
enum LAPACK {
    typealias Text = UnsafePointer<CChar>
    typealias Integer = UnsafePointer<Int32>
    typealias Integers = UnsafeMutablePointer<Int32>
    typealias Numbers = UnsafeMutablePointer<Double>

    #if canImport(Accelerate)
        // Accelerate's declarations are those of CLAPACK: everything may be written to, and texts have no length.
        private static func of<Value>(_ pointer: UnsafePointer<Value>) -> UnsafeMutablePointer<Value> {
            UnsafeMutablePointer(mutating: pointer)
        }

        static func potrf(
            _ uplo: Text, _ n: Integer, _ a: Numbers, _ lda: Integer, _ info: Integers, _: Int
        ) { dpotrf_(of(uplo), of(n), a, of(lda), info) }

        static func potrs(
            _ uplo: Text, _ n: Integer, _ count: Integer, _ a: UnsafePointer<Double>, _ lda: Integer,
            _ b: Numbers, _ ldb: Integer, _ info: Integers, _: Int
        ) { dpotrs_(of(uplo), of(n), of(count), of(a), of(lda), b, of(ldb), info) }

        static func pocon(
            _ uplo: Text, _ n: Integer, _ a: UnsafePointer<Double>, _ lda: Integer,
            _ norm: UnsafePointer<Double>, _ reciprocal: Numbers, _ work: Numbers, _ integers: Integers,
            _ info: Integers, _: Int
        ) { dpocon_(of(uplo), of(n), of(a), of(lda), of(norm), reciprocal, work, integers, info) }

        static func geqrf(
            _ m: Integer, _ n: Integer, _ a: Numbers, _ lda: Integer, _ tau: Numbers, _ work: Numbers,
            _ room: Integer, _ info: Integers
        ) { dgeqrf_(of(m), of(n), a, of(lda), tau, work, of(room), info) }

        static func gesdd(
            _ job: Text, _ m: Integer, _ n: Integer, _ a: Numbers, _ lda: Integer, _ s: Numbers,
            _ u: Numbers, _ ldu: Integer, _ vt: Numbers, _ ldvt: Integer, _ work: Numbers, _ room: Integer,
            _ integers: Integers, _ info: Integers, _: Int
        ) {
            dgesdd_(
                of(job), of(m), of(n), a, of(lda), s, u, of(ldu), vt, of(ldvt), work, of(room), integers,
                info)
        }

        static func syevd(
            _ job: Text, _ uplo: Text, _ n: Integer, _ a: Numbers, _ lda: Integer, _ w: Numbers,
            _ work: Numbers, _ room: Integer, _ integers: Integers, _ integerRoom: Integer,
            _ info: Integers, _: Int, _: Int
        ) {
            dsyevd_(
                of(job), of(uplo), of(n), a, of(lda), w, work, of(room), integers, of(integerRoom), info)
        }
    #else
        static func potrf(
            _ uplo: Text, _ n: Integer, _ a: Numbers, _ lda: Integer, _ info: Integers, _ length: Int
        ) { BLASThreads.uninterrupted { dpotrf_(uplo, n, a, lda, info, length) } }

        static func potrs(
            _ uplo: Text, _ n: Integer, _ count: Integer, _ a: UnsafePointer<Double>, _ lda: Integer,
            _ b: Numbers, _ ldb: Integer, _ info: Integers, _ length: Int
        ) { BLASThreads.uninterrupted { dpotrs_(uplo, n, count, a, lda, b, ldb, info, length) } }

        static func pocon(
            _ uplo: Text, _ n: Integer, _ a: UnsafePointer<Double>, _ lda: Integer,
            _ norm: UnsafePointer<Double>, _ reciprocal: Numbers, _ work: Numbers, _ integers: Integers,
            _ info: Integers, _ length: Int
        ) {
            BLASThreads.uninterrupted {
                dpocon_(uplo, n, a, lda, norm, reciprocal, work, integers, info, length)
            }
        }

        static func geqrf(
            _ m: Integer, _ n: Integer, _ a: Numbers, _ lda: Integer, _ tau: Numbers, _ work: Numbers,
            _ room: Integer, _ info: Integers
        ) { BLASThreads.uninterrupted { dgeqrf_(m, n, a, lda, tau, work, room, info) } }

        static func gesdd(
            _ job: Text, _ m: Integer, _ n: Integer, _ a: Numbers, _ lda: Integer, _ s: Numbers,
            _ u: Numbers, _ ldu: Integer, _ vt: Numbers, _ ldvt: Integer, _ work: Numbers, _ room: Integer,
            _ integers: Integers, _ info: Integers, _ length: Int
        ) {
            BLASThreads.uninterrupted {
                dgesdd_(job, m, n, a, lda, s, u, ldu, vt, ldvt, work, room, integers, info, length)
            }
        }

        static func syevd(
            _ job: Text, _ uplo: Text, _ n: Integer, _ a: Numbers, _ lda: Integer, _ w: Numbers,
            _ work: Numbers, _ room: Integer, _ integers: Integers, _ integerRoom: Integer,
            _ info: Integers, _ jobLength: Int, _ length: Int
        ) {
            BLASThreads.uninterrupted {
                dsyevd_(job, uplo, n, a, lda, w, work, room, integers, integerRoom, info, jobLength, length)
            }
        }
    #endif
}
