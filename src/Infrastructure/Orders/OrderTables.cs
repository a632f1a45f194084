using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure;

/// <summary>The tables of the order application. The framework's tables are configured beside their concepts.</summary>
public sealed class OrderTables
    : IEntityTypeConfiguration<Order>,
        IEntityTypeConfiguration<OrderLine>,
        IEntityTypeConfiguration<OrderProgress>,
        IEntityTypeConfiguration<CatalogueItem>,
        IEntityTypeConfiguration<StockItem>,
        IEntityTypeConfiguration<StockMovement>,
        IEntityTypeConfiguration<OrderShortage>,
        IEntityTypeConfiguration<Invoice>,
        IEntityTypeConfiguration<InvoiceCounter>,
        IEntityTypeConfiguration<CreditNote>,
        IEntityTypeConfiguration<ApiKey>,
        IEntityTypeConfiguration<PostedKey>
{
    /// <summary>
    /// How the database derives <see cref="OrderProgress.Status"/>; the first row that matches wins. A failed step
    /// comes first: an operator has to see it even when the order was refused or cancelled meanwhile.
    /// <code>
    /// failed steps | cancelled | rejected | required steps done | status
    /// any          | -         | -        | -                   | NeedsAttention
    /// none         | yes       | -        | -                   | Cancelled
    /// none         | no        | yes      | -                   | Rejected
    /// none         | no        | no       | all                 | Completed
    /// none         | no        | no       | some                | Processing
    /// none         | no        | no       | none                | Accepted
    /// </code>
    /// </summary>
    public static readonly string StatusSql =
        $"case when failed <> 0 then {OrderStatus.NeedsAttention:D} when cancelled_at is not null then {OrderStatus.Cancelled:D} "
        + $"when rejected_at is not null then {OrderStatus.Rejected:D} when done & required = required then {OrderStatus.Completed:D} "
        + $"when done <> 0 then {OrderStatus.Processing:D} else {OrderStatus.Accepted:D} end";

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Order> builder)
    {
        builder.ToTable("orders");
        builder.HasKey(o => o.Id);
        builder.Property(o => o.Id).ValueGeneratedNever();
        builder.Property(o => o.Number).HasDefaultValueSql("nextval('order_number')");
        builder.HasIndex(o => o.Number).IsUnique();
        builder.HasIndex(o => new { o.ClientId, o.Id }).IsDescending(false, true);
        builder.Property(o => o.Currency).HasColumnType("char(3)");
        builder.Property(o => o.Locale).HasDefaultValue(CustomerLocale.Default);
        builder.Property(o => o.ShipCountry).HasColumnType("char(2)");
        builder.Property(o => o.Total).HasColumnType("numeric(14,2)");
        builder.HasMany(o => o.Lines).WithOne().HasForeignKey(l => l.OrderId);
        // Few orders wait for a time of their own: this finds those that were released a moment ago.
        builder.HasIndex(o => o.ReleaseAt).HasFilter("release_at is not null").HasDatabaseName("orders_released");
        // Whether premium orders came lately, and which (OrderAging): nothing is read when there are none.
        builder.HasIndex(o => o.Id).HasFilter("premium and release_at is null").HasDatabaseName("orders_premium");
        // Their invoices go one day.
        builder.HasIndex(o => o.ErasedAt).HasFilter("erased_at is not null").HasDatabaseName("orders_erased");
        builder.HasOne(o => o.Progress).WithOne().HasForeignKey<OrderProgress>(p => p.OrderId);
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OrderLine> builder)
    {
        builder.ToTable("order_lines");
        builder.HasKey(l => new { l.OrderId, l.Line });
        builder.Property(l => l.UnitPrice).HasColumnType("numeric(12,2)");
        builder.Property(l => l.VatRate).HasColumnType("numeric(5,2)");
        builder.Property(l => l.Total).HasColumnType("numeric(14,2)");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OrderProgress> builder)
    {
        builder.ToTable("order_progress");
        builder.HasKey(p => p.OrderId);
        builder.Property(p => p.Status).HasComputedColumnSql($"({StatusSql})::smallint", stored: true);
        // No index holds the statuses that every order passes through: an update that leaves indexed columns alone
        // stays on its page (HOT).
        // What an operator filters for is rare and has its partial index; the common ones are found by walking the
        // orders from the newest.
        builder
            .HasIndex(p => p.OrderId)
            .HasFilter("failed <> 0 or rejected_at is not null or cancelled_at is not null")
            .HasDatabaseName("order_progress_unusual");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<CatalogueItem> builder)
    {
        // No default: an article without a rate would be invoiced with the wrong tax.
        builder.ToTable(
            "catalogue",
            t => t.HasCheckConstraint("catalogue_vat_rate_in_per_cent", "vat_rate >= 0 and vat_rate < 100")
        );
        builder.HasKey(i => i.Sku);
        builder.Property(i => i.PriceEur).HasColumnType("numeric(12,2)");
        builder.Property(i => i.PriceUsd).HasColumnType("numeric(12,2)");
        builder.Property(i => i.PriceGbp).HasColumnType("numeric(12,2)");
        builder.Property(i => i.VatRate).HasColumnType("numeric(5,2)");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StockItem> builder)
    {
        builder.ToTable("stock", t => t.HasCheckConstraint("stock_never_below_zero", "on_hand >= 0"));
        builder.HasKey(s => s.Sku);
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StockMovement> builder)
    {
        builder.ToTable("stock_movements");
        builder.HasKey(m => new
        {
            m.OrderId,
            m.Sku,
            m.Kind,
        });
        builder.Property(m => m.Kind).HasDefaultValue(MovementKind.Reservation);
        builder.Property(m => m.At).HasDefaultValueSql("now()");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OrderShortage> builder)
    {
        builder.ToTable("order_shortages");
        builder.HasKey(s => new { s.OrderId, s.Sku });
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Invoice> builder)
    {
        builder.ToTable("invoices");
        builder.HasKey(i => i.OrderId);
        builder.HasIndex(i => i.Number).IsUnique();
        builder.Property(i => i.Snapshot).HasColumnType("jsonb");
        builder.Property(i => i.IssuedAt).HasDefaultValueSql("now()");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<CreditNote> builder)
    {
        builder.ToTable("credit_notes");
        builder.HasKey(c => c.OrderId);
        builder.HasIndex(c => c.Number).IsUnique();
        builder.Property(c => c.IssuedAt).HasDefaultValueSql("now()");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<InvoiceCounter> builder)
    {
        builder.ToTable("invoice_counter");
        builder.HasKey(c => c.Series);
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.ToTable("api_keys");
        builder.HasKey(k => k.Id);
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.Property(k => k.Hint).HasDefaultValue("");
        builder.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<PostedKey> builder)
    {
        builder.ToTable("posted_keys");
        builder.HasKey(k => new { k.ClientId, k.Key });
        builder.Property(k => k.At).HasDefaultValueSql("now()");
        builder.HasIndex(k => k.At).HasMethod("brin").HasDatabaseName("posted_keys_at");
    }
}
