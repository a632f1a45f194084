using System.Text.RegularExpressions;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Infrastructure.Erasing;
using QueueWorkers.Erasing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>
/// What a customer may ask for: a copy of the data there are, and their erasure. The address stands in bodies only,
/// never in an address of ours that a proxy would log.
/// </summary>
internal static partial class CustomersApi
{
    private const int LongestReason = 500;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost(
                "/erasures/preview",
                async (ErasurePreviewRequest request, Erasures erasures, CancellationToken cancellationToken) =>
                    CustomerFault(request.Customer) is { } fault
                        ? ApiProblem.InvalidParameter(fault)
                        : Results.Ok(await erasures.PlanAsync(request.Customer, cancellationToken))
            )
            .Needs(OperatorRole.Admin);
        api.MapPost("/erasures", BeginAsync).Needs(OperatorRole.Admin);
        api.MapPost("/erasures/repeat", RepeatAsync).Needs(OperatorRole.Admin);
        api.MapGet(
                "/erasures",
                async (Erasures erasures, CancellationToken cancellationToken) =>
                    Results.Ok((await erasures.ListAsync(cancellationToken)).Select(ErasureView.Of))
            )
            .Needs(OperatorRole.Admin);
        api.MapGet(
                "/erasures/{id:guid}",
                async (Guid id, Erasures erasures, CancellationToken cancellationToken) =>
                    await erasures.FindAsync(id, cancellationToken) is { } erasure
                        ? Results.Ok(ErasureView.Of(erasure))
                        : ApiProblem.NotFound($"There is no erasure {id}.")
            )
            .Needs(OperatorRole.Admin);
        api.MapPost("/customers/export", ExportAsync).Needs(OperatorRole.Admin);
    }

    private static async Task<IResult> BeginAsync(
        HttpContext context,
        ErasureRequest request,
        Erasures erasures,
        CancellationToken cancellationToken
    )
    {
        if ((CustomerFault(request.Customer) ?? ReasonFault(request.Reason, request.Customer)) is { } fault)
            return ApiProblem.InvalidParameter(fault);
        var answer = await erasures.BeginAsync(
            request.Customer,
            request.Expect,
            Actor.Of(context).Did("erase customer", reason: request.Reason),
            cancellationToken
        );
        return answer.Erasure is { } erasure
            ? Results.Accepted($"/api/erasures/{erasure.Id}", ErasureView.Of(erasure))
            : Refused(answer.Refusal!);
    }

    private static async Task<IResult> RepeatAsync(
        HttpContext context,
        RepeatRequest request,
        Erasures erasures,
        CancellationToken cancellationToken
    )
    {
        if (ReasonFault(request.Reason, null) is { } fault)
            return ApiProblem.InvalidParameter(fault);
        if (request.Erasures is null || request.Erasures.Any(erased => erased?.Person is null))
            return ApiProblem.InvalidParameter("erasures must be a list, each with its person");
        var answers = await erasures.RepeatAsync(
            request.Erasures,
            Actor.Of(context).Did("repeat erasure", reason: request.Reason),
            cancellationToken
        );
        return Results.Ok(
            new
            {
                Begun = answers.Select(a => a.Erasure).OfType<Erasure>().Select(ErasureView.Of),
                Refused = answers.Select(a => a.Refusal).OfType<ErasureRefusal>(),
            }
        );
    }

    private static async Task<IResult> ExportAsync(
        HttpContext context,
        ExportRequest request,
        CustomerExport export,
        Erasures erasures,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        if ((CustomerFault(request.Customer) ?? ReasonFault(request.Reason, request.Customer)) is { } fault)
            return ApiProblem.InvalidParameter(fault);
        var orders = await export.CountAsync(request.Customer, cancellationToken);
        if (orders == 0)
            return ApiProblem.NotFound("There is no order of this customer.");
        var did = Actor
            .Of(context)
            .Did("export customer", $"person {erasures.NameOf(request.Customer)}", request.Reason);
        await audit.WriteAsync(
            new AuditEntry
            {
                Who = did.Who,
                Role = did.Role,
                Action = did.Action,
                Target = did.Target,
                Reason = did.Reason,
                Count = orders,
            },
            cancellationToken
        );
        return Results.Stream(
            output => export.WriteAsync(output, request.Customer, request.Documents, cancellationToken),
            "application/json"
        );
    }

    private static IResult Refused(ErasureRefusal refusal) =>
        refusal.Code == "nothing-found"
            ? ApiProblem.NotFound(refusal.Detail)
            : ApiProblem.Conflict(refusal.Code, refusal.Detail);

    private static string? CustomerFault(string? customer) =>
        string.IsNullOrWhiteSpace(customer)
        || customer.Length > Erasures.LongestPerson
        || !Address().IsMatch(customer.Trim())
        || customer.Any(char.IsControl)
            ? $"customer must be a mail address of at most {Erasures.LongestPerson} characters"
            : null;

    // What is looked for in all texts must be one whole address.
    [GeneratedRegex(@"^[^\s@]+@[^\s@]+\.[^\s@]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Address();

    // A reason is kept for ever.
    private static string? ReasonFault(string? reason, string? customer) =>
        string.IsNullOrWhiteSpace(reason) || reason.Length > LongestReason
            ? $"reason must say why, in at most {LongestReason} characters"
        : customer is not null && reason.Contains(customer.Trim(), StringComparison.OrdinalIgnoreCase)
            ? "reason must not contain the customer's address: it is kept for ever"
        : null;
}

/// <summary>Whose data.</summary>
internal sealed record ErasurePreviewRequest(string Customer);

/// <summary>Whose data to erase, why, and how many orders the operator has seen.</summary>
internal sealed record ErasureRequest(string Customer, string Reason, long? Expect);

/// <summary>What to erase once more.</summary>
internal sealed record RepeatRequest(IReadOnlyList<ErasedPerson> Erasures, string Reason);

/// <summary>Whose data to export, why, and whether with the documents.</summary>
internal sealed record ExportRequest(string Customer, string Reason, bool Documents = false);

/// <summary>An erasure as the API shows it.</summary>
internal sealed record ErasureView(
    Guid Id,
    string Person,
    string RequestedBy,
    string Reason,
    DateTimeOffset RequestedAt,
    long Total,
    long Done,
    DateTimeOffset? FinishedAt,
    IReadOnlyList<string> WaitingFor
)
{
    public static ErasureView Of(Erasure erasure) =>
        new(
            erasure.Id,
            Convert.ToHexStringLower(erasure.PersonHash),
            erasure.RequestedBy,
            erasure.Reason,
            erasure.RequestedAt,
            erasure.Total,
            erasure.Done,
            erasure.FinishedAt,
            erasure.WaitingFor?.Split('\n') ?? []
        );
}
