using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Anchors;

namespace Orders.Dashboard.Api;

/// <summary>What operators did, newest first, and whether anybody has touched the record.</summary>
internal static class AuditApi
{
    // As many as fit into a body.
    private const int MostAnchors = 10_000;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/audit",
                async (long? before, int? limit, AuditLog audit, CancellationToken cancellationToken) =>
                    limit is < 1 or > 500
                        ? ApiProblem.InvalidParameter("limit must be 1–500")
                        : Results.Ok(await audit.ReadAsync(before, limit ?? 100, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/audit/verification",
                (string[]? anchor, AuditVerifier verifier, CancellationToken cancellationToken) =>
                    VerifyAsync(anchor ?? [], verifier, null, cancellationToken)
            )
            .Needs(OperatorRole.Viewer);

        // A POST, although it changes nothing: an export has more anchors than an address has room for.
        api.MapPost(
                "/audit/verification",
                (
                    VerificationRequest request,
                    AuditVerifier verifier,
                    AuditOptions options,
                    CancellationToken cancellationToken
                ) =>
                    VerifyAsync(
                        request.Anchors ?? [],
                        verifier,
                        request.Seal is { } seal
                            ? seal.IsSignedBy(options.SigningKey, options.PreviousSigningKey)
                            : null,
                        cancellationToken
                    )
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet("/audit/export", ExportAsync).Needs(OperatorRole.Viewer);
    }

    private static async Task<IResult> VerifyAsync(
        IReadOnlyList<string?> texts,
        AuditVerifier verifier,
        bool? isSigned,
        CancellationToken cancellationToken
    )
    {
        if (texts.Count > MostAnchors)
            return ApiProblem.InvalidParameter($"anchors must be at most {MostAnchors}, found {texts.Count}");
        var anchors = texts.Select(AuditAnchor.Parse).OfType<AuditAnchor>().ToArray();
        if (anchors.Length < texts.Count)
            return ApiProblem.InvalidParameter(
                "an anchor must be NUMBER:HASH, as in event 1110; the hash has 64 digits"
            );
        var report = await verifier.VerifyAsync(anchors, cancellationToken);
        return Results.Ok(isSigned is { } signed ? report with { Signature = signed ? "valid" : "wrong" } : report);
    }

    private static async Task<IResult> ExportAsync(
        HttpContext context,
        AuditExport export,
        CancellationToken cancellationToken
    )
    {
        if (!export.CanSign)
            return ApiProblem.Conflict("no-signing-key", "There is no key that signs exports; set Audit__SigningKey.");
        var response = context.Response;
        response.ContentType = "application/x-ndjson";
        response.Headers.ContentDisposition = "attachment; filename=audit.jsonl";
        await export.WriteAsync(
            response.BodyWriter,
            async () => await response.BodyWriter.FlushAsync(cancellationToken),
            cancellationToken
        );
        return Results.Empty;
    }

    private sealed record VerificationRequest(IReadOnlyList<string?>? Anchors = null, AuditSeal? Seal = null);
}
