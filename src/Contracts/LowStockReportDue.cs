namespace Orders.Contracts;

/// <summary>
/// It is time to tell the shop which articles run out. Published once for each firing of the schedule
/// <c>low-stock-report</c>, and of each schedule of the kind <c>stock-report</c>, which operators create.
/// </summary>
/// <param name="ReportId">The firing's id; also the message's id and correlation id.</param>
/// <param name="DueAt">The moment the report was due, UTC.</param>
/// <param name="Below">Articles with fewer pieces on hand are listed; null for the shop's usual number.</param>
/// <param name="Articles">Only articles whose number begins so; null for all.</param>
public sealed record LowStockReportDue(Guid ReportId, DateTimeOffset DueAt, int? Below = null, string? Articles = null);
